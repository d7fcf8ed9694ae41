"""Entry point of `python -m mnist`."""

import sys

if __name__ == "__main__":
    try:
        from mnist.cli import main

        code = main()
        # Only what trains has imported torch by now.
        distributed = sys.modules.get("mnist.distributed")
        (distributed.exit_process if distributed else sys.exit)(code)
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed: use .venv/bin/python, which make sets up", file=sys.stderr)
        sys.exit(2)
