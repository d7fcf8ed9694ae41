"""Entry point of `python -m mnist`."""

import sys

from backprop.command import Parser, run_command


def _parser() -> Parser:
    from mnist.cli import parser  # may find a package missing

    return parser()


if __name__ == "__main__":
    code = run_command(_parser)
    # Only what trains has imported torch by now.
    distributed = sys.modules.get("mnist.distributed")
    (distributed.exit_process if distributed else sys.exit)(code)
