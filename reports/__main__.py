"""Entry point of `python -m reports`."""

import sys

if __name__ == "__main__":
    try:
        from reports.cli import main

        sys.exit(main())
    except ModuleNotFoundError as missing:
        print(f"error: {missing.name} is not installed: use .venv/bin/python, which make sets up", file=sys.stderr)
        sys.exit(2)
