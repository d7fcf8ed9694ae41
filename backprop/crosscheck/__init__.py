"""The numerical cross-check behind `prove`: five engines that share no arithmetic compute the same numbers."""
