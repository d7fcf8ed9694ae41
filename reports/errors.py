"""The one kind of failure that this package reports."""


class ReportError(Exception):
    """Say in one line what is wrong, where, and what to do; the command prints it and exits with 2."""
