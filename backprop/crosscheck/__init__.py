"""The numerical cross-check behind `prove`: seven engines that share no arithmetic compute the same numbers."""
