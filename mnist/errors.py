"""The failures of this package, which its commands report in one line."""

from backprop.errors import BackpropError


class MnistError(BackpropError):
    """State what is wrong in a training or its records, where, and what to do; commands exit with 2."""
