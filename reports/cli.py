"""The commands of `python -m reports`."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from backprop.errors import BackpropError
from reports.errors import ReportError

INTERRUPTED = 130  # what shells give for a program ended by Ctrl-C
_ABOUT = """\
Write the page to hand in from what the other commands left in OUTPUT.

  reads   OUTPUT/backprop.xlsx               written by `make workbook`
          OUTPUT/mnist/history.json          written by `make train`
          OUTPUT/mnist/model.pt              written by `make train`
          OUTPUT/mnist/evaluation.json       written by `make report`
          OUTPUT/mnist/weights.json          written by `make report`
  writes  OUTPUT/report.html                 one file that needs no network and no JavaScript
          OUTPUT/handin/                     README.md with pictures, the workbook and the page
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, not in argparse's two, and leave with 2."""
        self.exit(2, f"error: {message}; `{self.prog} --help` tells what there is\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0 done, 2 impossible as asked, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        _build(options)
    except (ReportError, BackpropError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted: run the same command again", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reports",
        description="The page that reports both parts: backpropagation by hand, and the network that reads digits.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    build = commands.add_parser(
        "build",
        help="write the page and the folder to hand in",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument(
        "--learning-rate",
        type=_learning_rate,
        metavar="X",
        help="η of the page's table and worked numbers (default: the preset's; the six of the exercise are always "
        "compared)",
    )
    build.add_argument(
        "--preset",
        default="class",
        metavar="NAME",
        help="the network's starting values: class, class-0.01-0.99 or mazur (default: %(default)s)",
    )
    build.add_argument("--author", default="", metavar="NAME", help="who hands it in (default: nobody is named)")
    build.add_argument("--title", default="", metavar="TEXT", help="the page's title (default: one that fits)")
    build.add_argument(
        "--output",
        type=Path,
        default=Path("out"),
        metavar="OUTPUT",
        help="folder of all results (default: %(default)s)",
    )
    return parser


def _learning_rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"the learning rate is {text!r}: give a finite number above 0, such as 0.5")
    return value


def _build(options: argparse.Namespace) -> None:
    # sympy and matplotlib take a second to import: not for --help, nor for a missing file.
    from backprop.network import PRESETS
    from reports.inputs import read_inputs

    if options.preset not in PRESETS:
        raise ReportError(f"there is no preset {options.preset!r}: choose one of {', '.join(PRESETS)}")
    preset = PRESETS[options.preset]
    inputs = read_inputs(options.output)
    from reports.build import build
    from reports.view import Heading

    heading = Heading(options.title, options.author)
    build(heading, preset, options.learning_rate or preset.learning_rate, inputs, options.output)
    print(f"The page is {options.output / 'report.html'}, the workbook {inputs.workbook},")
    print(f"and both, with a README and pictures, are in {options.output / 'handin'}")
