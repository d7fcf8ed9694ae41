"""The failures of this package, which its commands report in one line."""

from backprop.errors import BackpropError


class ReportError(BackpropError):
    """State what is wrong in making the page and the hand-in folder, where, and what to do; commands exit with 2."""
