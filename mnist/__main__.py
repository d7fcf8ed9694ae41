"""Entry point of `python -m mnist`."""

import sys

from mnist.cli import main

if __name__ == "__main__":
    sys.exit(main())
