"""The commands of `python -m reports`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from backprop.command import Parser, new_parser, run_command

_ABOUT = """\
Write the page to hand in from what the other commands left in OUTPUT.

  reads   OUTPUT/backprop.xlsx, .json        written by `make workbook`: the sheet, and η and network it was made with
          OUTPUT/mnist/history.json          written by `make train`
          OUTPUT/mnist/model.pt              written by `make train`
          OUTPUT/mnist/evaluation.json       written by `make report`, or `python -m mnist evaluate`
          OUTPUT/mnist/weights.json          the same
          OUTPUT/proof.json                  where it is there: written by `make prove`
          OUTPUT/mnist/study/                the same: written by `python -m mnist study`
          OUTPUT/mnist/bench-*.json          the same: written by `make bench`
  writes  OUTPUT/report.html                 one file that needs no network and no JavaScript
          OUTPUT/handin/                     README.md with pictures, the workbook and the page;
                                             also S6.ipynb where one of `handin` still fits
"""
_ABOUT_HANDIN = """\
Write what `build` writes, and complete the folder to hand in.

  reads   what `build` reads
  writes  OUTPUT/report.html, OUTPUT/handin/ as `build` does, and in the folder
          S6.ipynb                           both parts as a notebook, with its outputs
          backprop_report-*.whl              this project, for the notebook to install
          results/                           the records that the notebook reads
          OUTPUT/handin.zip                  the folder, packed

The notebook is run only where its inputs have changed. It takes the packages of the extra `handin`.
"""


_Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code, as `run_command` describes it."""
    return run_command(parser, arguments)


def parser() -> Parser:
    """Return the parser of all commands."""
    parser = new_parser(
        "python -m reports",
        "The page that reports both parts: backpropagation by hand, and the network that reads digits.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_build(commands)
    _add_pdf(commands)
    return parser


def _add_build(commands: _Commands) -> None:
    build = commands.add_parser(
        "build",
        help="write the page and the folder to hand in",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.set_defaults(run=_build, notebook=False)
    handin = commands.add_parser(
        "handin",
        help="write the same, with the notebook, and pack it",
        description=_ABOUT_HANDIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    handin.set_defaults(run=_build, notebook=True)
    for command in (build, handin):
        _add_options(command)


def _add_pdf(commands: _Commands) -> None:
    pdf = commands.add_parser(
        "pdf",
        help="print the page to OUTPUT/report.pdf",
        description="Print OUTPUT/report.html to OUTPUT/report.pdf (A4) with the Chromium, Chrome or Edge that is "
        "installed.",
    )
    _add_output(pdf)
    pdf.set_defaults(run=_print)


def _add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--author", default="", metavar="NAME", help="who hands it in (default: nobody is named)")
    command.add_argument("--title", default="", metavar="TEXT", help="the page's title (default: one that fits)")
    command.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        help="folder of MNIST, which the notebook is measured on where it is there (default: %(default)s)",
    )
    _add_output(command)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("out"),
        metavar="OUTPUT",
        help="folder of all results (default: %(default)s)",
    )


def _build(options: argparse.Namespace) -> None:
    # sympy and matplotlib take a second to import: not for --help, nor for a missing file.
    from reports.inputs import read_inputs

    inputs = read_inputs(options.output)
    from backprop.part1 import compute_part1
    from reports.build import Extent, build
    from reports.view import Heading

    heading, extent = Heading(options.title, options.author), Extent(options.notebook, options.data)
    workbook = inputs.workbook
    built = build(heading, compute_part1(workbook.preset, workbook.learning_rate), inputs, options.output, extent)
    print(f"The page is {options.output / 'report.html'}, the workbook {workbook.path},")
    print(f"and both, with a README and pictures, are in {options.output / 'handin'}")
    if built.notebook:
        print(f"The notebook is there too, and all of it is packed in {options.output / 'handin.zip'}")
    if built.unpacked:
        print("The notebook and handin.zip belonged to another page and are removed: `make handin` makes them anew")
    if built.folder.restored:
        print(f"An earlier command was killed while it wrote {options.output / 'handin'}: your files are back in it")
    for name in built.folder.changed:
        print(f"You had changed a file there: your version is {options.output / 'handin' / name}")


def _print(options: argparse.Namespace) -> None:
    from reports.pdf import print_page

    target = options.output / "report.pdf"
    print_page(options.output / "report.html", target)
    print(f"The printed page is {target}")
