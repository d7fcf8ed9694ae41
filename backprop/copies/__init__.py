"""Marked copies of checked workbooks: the package's XML edited where it must be, everything else as it was."""
