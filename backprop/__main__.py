"""The command: python -m backprop workbook | derive | trace."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from backprop.errors import BackpropError
from backprop.network import PRESETS, Preset

_DESCRIPTION = """\
Backpropagation of the class's 2-2-2 sigmoid network, derived once and printed everywhere.

  python -m backprop workbook                        write out/backprop.xlsx, the class sheet with live formulas
  python -m backprop workbook --learning-rate 0.5    the same with η = 0.5
  python -m backprop derive                          print the derivation, step by step
  python -m backprop trace --iterations 3            print every number of the first three iterations
"""


class _Parser(argparse.ArgumentParser):
    """Say what is wrong in one line instead of repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; `{self.prog} --help` shows what is possible\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0, or 2 after one line about what was wrong with the input."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except BackpropError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing was half-written", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m backprop", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_workbook(commands.add_parser("workbook", help="write the class sheet as an Excel workbook"))
    _add_derive(commands.add_parser("derive", help="print the derivation"))
    _add_trace(commands.add_parser("trace", help="print the numbers of a run"))
    return parser


def _add_workbook(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a workbook that mirrors the class sheet cell for cell, with live formulas and their values, "
        "a sheet for each of η = 0.1, 0.2, 0.5, 0.8, 1, 2, and a chart that compares them."
    )
    _add_run_options(parser)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/backprop.xlsx"), metavar="FILE")
    parser.set_defaults(run=_write_workbook)


def _add_derive(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the forward pass, the chain rule in the class sheet's six panels, the updates, "
        "and the proof that every product of factors is the direct derivative."
    )
    _add_preset(parser)
    parser.add_argument("--format", choices=("text", "latex", "mathml", "json"), default="text")
    parser.set_defaults(run=_print_derivation)


def _add_trace(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print every column of every iteration, as exact as floating point is."
    _add_run_options(parser)
    parser.add_argument(
        "--sequential",
        action="store_true",
        help="compute hidden gradients with the already updated output weights, as some texts do (no true gradient)",
    )
    parser.add_argument("--format", choices=("csv", "json"), default="csv")
    parser.set_defaults(run=_print_trace)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--learning-rate",
        type=float,
        metavar="X",
        help="η, a finite number above 0 (default: the preset's; class: 1)",
    )
    parser.add_argument(
        "--iterations", type=int, default=68, metavar="N", help="rows; the first is iteration 0 (default: %(default)s)"
    )
    _add_preset(parser)
    parser.add_argument(
        "--as-taught", action="store_true", help="repeat the class sheet's wrong formulas for ∂E/∂w3 and ∂E/∂w4"
    )


def _add_preset(parser: argparse.ArgumentParser) -> None:
    described = "; ".join(f"{preset.name}: {preset.description}" for preset in PRESETS.values())
    parser.add_argument("--preset", choices=tuple(PRESETS), default="class", help=f"starting values. {described}")


def _learning_rate(options: argparse.Namespace, preset: Preset) -> float:
    return preset.learning_rate if options.learning_rate is None else float(options.learning_rate)


def _write_workbook(options: argparse.Namespace) -> None:
    from backprop.sheet.workbook import WorkbookOptions, build_workbook

    preset = PRESETS[options.preset]
    wanted = WorkbookOptions(preset, _learning_rate(options, preset), options.iterations, options.as_taught)
    export = build_workbook(wanted)
    export.book.save(options.output)
    for trace in export.traces:
        if trace.overflow is not None:
            _warn(f"{_overflows(trace.learning_rate, trace.overflow)}; its cells show #NUM! from there on")
    print(f"wrote {options.output}: η = {wanted.learning_rate:g}, {wanted.iterations} iterations a sheet")


def _print_derivation(options: argparse.Namespace) -> None:
    from backprop.derivation import derive
    from backprop.listing import FORMATS

    sys.stdout.write(FORMATS[options.format](derive(PRESETS[options.preset].network)))


def _print_trace(options: argparse.Namespace) -> None:
    from backprop.derivation import as_taught, derive
    from backprop.simulate import simulate
    from backprop.table_text import as_csv, as_json

    preset = PRESETS[options.preset]
    derivation = derive(preset.network)
    if options.as_taught:
        derivation = as_taught(derivation)
    eta = _learning_rate(options, preset)
    trace = simulate(derivation, preset, eta, options.iterations, sequential=options.sequential)
    sys.stdout.writelines(as_json(trace) if options.format == "json" else as_csv(trace))
    if trace.overflow is not None:
        _warn(f"{_overflows(eta, trace.overflow)}; printed the rows before")


def _overflows(learning_rate: float, iteration: int) -> str:
    return f"at η = {learning_rate:g} the class formula 1/(1 + EXP(-x)) overflows in iteration {iteration}"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when piped into head
    sys.exit(main())
