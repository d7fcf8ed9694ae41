"""The failures that commands report in one line instead of a traceback."""

from pathlib import Path


class BackpropError(Exception):
    """State what is wrong, where, and what to do, in one line fit for a terminal; commands exit with 2.

    The other packages derive their own errors from it.
    """


class OutputError(BackpropError):
    """State which output could not be written, why, and what to do; commands exit with 74."""

    def __init__(
        self, output: Path | str, cause: Exception, remedy: str = "free some space there or name another place"
    ) -> None:
        super().__init__(f"{output} can't be written ({getattr(cause, 'strerror', None) or cause}): {remedy}")
