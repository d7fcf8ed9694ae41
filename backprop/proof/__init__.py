"""The same numbers from five engines that share no arithmetic, and how far they disagree."""
