"""Entry point of `python -m reports`."""

import sys

from backprop.command import Parser, run_command


def _parser() -> Parser:
    from reports.cli import parser  # may find a package missing

    return parser()


if __name__ == "__main__":
    sys.exit(run_command(_parser))
