"""The command: python -m backprop workbook | derive | trace | prove | check."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from backprop.command import DONE, FINDING, NO_OUTPUT, WRONG_INPUT, Parser, new_parser, run_command
from backprop.errors import BackpropError
from backprop.files import write_file
from backprop.network import Preset

_DESCRIPTION = """\
Backpropagation of the class's 2-2-2 sigmoid network, derived once and printed everywhere.

  python -m backprop workbook                        write out/backprop.xlsx, the class sheet with live formulas
  python -m backprop workbook --learning-rate 0.5    the same with η = 0.5
  python -m backprop derive                          print the derivation, step by step
  python -m backprop trace --iterations 3            print every number of the first three iterations
  python -m backprop prove                           compute random cases with seven engines and compare them
  python -m backprop check sheet.xlsx                find what is wrong in a hand-made sheet
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, as `run_command` describes it."""
    return run_command(_parser, arguments)


def _parser() -> Parser:
    parser = new_parser("python -m backprop", _DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_workbook(commands.add_parser("workbook", help="write the class sheet as an Excel workbook"))
    _add_networks(commands.add_parser("networks", help="list the shipped networks, or print one as a file"))
    _add_derive(commands.add_parser("derive", help="print the derivation"))
    _add_trace(commands.add_parser("trace", help="print the numbers of a run"))
    _add_check(commands.add_parser("check", help="find what is wrong in hand-made sheets of the exercise"))
    _add_prove(commands.add_parser("prove", help="compute the same numbers with seven engines and compare them"))
    return parser


def _add_workbook(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a workbook that mirrors the class sheet cell for cell, with live formulas and their values, "
        "a sheet for each of η = 0.1, 0.2, 0.5, 0.8, 1, 2, and a chart that compares them. "
        "A file of the same name that ends in .json records what it was made from."
    )
    _add_run_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("out/backprop.xlsx"),
        metavar="FILE",
        help="where to write it (default: %(default)s)",
    )
    parser.add_argument("--author", default="", metavar="NAME", help="of the document, as file managers show it")
    parser.add_argument(
        "--protected", action="store_true", help="lock all but the yellow cells, without a password (default: not)"
    )
    parser.set_defaults(run=_write_workbook)


def _add_networks(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "List the shipped networks, or print one as the file that it is: a start for a network of your own.\n\n"
        "  python -m backprop networks class > my.toml\n"
        "  python -m backprop workbook --network my.toml"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a shipped network (default: list all)")
    parser.set_defaults(run=_print_networks)


def _print_networks(options: argparse.Namespace) -> None:
    from backprop.networks import read_text
    from backprop.networks.presets import PRESETS

    if options.name is not None:
        sys.stdout.write(read_text(options.name))
        return
    width = max(map(len, PRESETS))
    for preset in PRESETS.values():
        print(f"{preset.name:<{width}}  {preset.network.description:<20}  {preset.description}")


def _add_derive(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the forward pass, the chain rule in the class sheet's six panels, the updates, "
        "and, for every product of factors, whether it is the direct derivative."
    )
    _add_preset(parser)
    parser.add_argument("--format", choices=("text", "latex", "mathml", "json"), default="text", help="(default: text)")
    parser.set_defaults(run=_print_derivation)


def _add_trace(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print every column of every iteration, as exact as floating point is."
    _add_run_options(parser)
    parser.add_argument(
        "--sequential",
        action="store_true",
        help="compute hidden gradients with the already updated output weights, as some texts do (no true gradient)",
    )
    parser.add_argument("--format", choices=("csv", "json"), default="csv", help="(default: csv)")
    parser.set_defaults(run=_print_trace)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Read the formulas of workbooks and explain what is wrong, cell by cell. Tables of the exercise\n"
        "are compared with the derivation; a sheet that trains another small network with the derivatives\n"
        "of its own error. Nothing in the files is run; .ods, .xls and the like need LibreOffice.\n\n"
        "Exit code 0: everything was read completely and is right; 1: something computes wrongly;\n"
        "2: something could not be read, wholly or in part, or nothing in it trains a network.\n\n"
        "A student looks at one sheet; a teacher reads sixty on one page, or lists them, and returns marked copies:\n\n"
        "  python -m backprop check sheet.xlsx\n"
        "  python -m backprop check sheets --html check.html --annotate marked\n"
        "  python -m backprop check sheets --csv > findings.csv"
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="workbooks, or folders of them")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="print everything as JSON")
    kind.add_argument("--csv", action="store_true", help="print one row per finding")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="count typed numbers, stale results, odd charts and unread formulas as wrong too",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page too: each mistake in its sheet")
    copies = parser.add_argument_group("copies, whose originals are never touched")
    copies.add_argument(
        "--annotate", type=Path, metavar="FOLDER", help="copy each workbook there with its findings in notes and a list"
    )
    copies.add_argument(
        "--fixed", type=Path, metavar="FOLDER", help="copy each workbook there with the expected formulas put in"
    )
    copies.add_argument("--force", action="store_true", help="replace copies that are there already")
    parser.set_defaults(run=_check)


def _add_prove(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Take a network's own run, and random learning rates, weights, biases, inputs and targets; compute every "
        "number with sympy in 50 digits, NumPy, torch autograd, LibreOffice, IronCalc, formualizer and JavaScript "
        "(node or Chromium), and print the largest disagreement of each pair. Engines that are not installed are named "
        "and left out. Exit code 1 where one pair disagrees."
    )
    _add_preset(parser)
    parser.add_argument("--cases", type=int, default=6, metavar="N", help="random cases (default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=10, metavar="N", help="of each case (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random numbers (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the result as JSON too")
    parser.set_defaults(run=_prove)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--learning-rate",
        type=_number,
        metavar="X",
        help="η, a finite number above 0 (default: the network's; class: 1)",
    )
    parser.add_argument(
        "--iterations",
        type=int,
        metavar="N",
        help="rows; the first is iteration 0 (default: the network's; class: 68)",
    )
    _add_preset(parser)
    parser.add_argument(
        "--as-taught", action="store_true", help="repeat the class sheet's wrong formulas for ∂E/∂w3 and ∂E/∂w4"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number: give one above 0, such as 0.5") from None


def _add_preset(parser: argparse.ArgumentParser) -> None:
    from backprop.networks import list_networks

    group = parser.add_mutually_exclusive_group()
    names = ", ".join(list_networks())
    group.add_argument(
        "--network",
        metavar="NAME|FILE",
        help=f"a shipped network ({names}), or a .toml file of your own (default: class); "
        "`python -m backprop networks` describes them",
    )
    group.add_argument("--preset", choices=list_networks(), help="the same for the shipped ones")
    for gone in ("--layers", "--activation", "--biases", "--update-biases"):
        parser.add_argument(gone, nargs="?", action=_Gone, help=argparse.SUPPRESS)


class _Gone(argparse.Action):
    """An option of earlier versions: networks are files now."""

    def __call__(self, parser: Any, options: Any, value: Any, option: str | None = None) -> None:
        """Raise BackpropError that shows what to write instead."""
        sizes = [part for part in str(value or "").split(",") if part.isdecimal() and part.isascii()] or ["3", "4", "2"]
        written = {
            "--layers": f"layers = [{', '.join(sizes[:7])}]",
            "--activation": f"activations = {json.dumps(str(value or 'tanh')[:20])}",
            "--biases": 'biases = "per neuron"',
            "--update-biases": "train_biases = true",
        }[option or ""]
        raise BackpropError(
            f"{option} is gone, a network is a file: `python -m backprop networks class > my.toml`, "
            f"write {written} below [network] there, and give --network my.toml"
        )


def _preset(options: argparse.Namespace) -> Preset:
    from backprop.networks.presets import load_network

    return load_network(options.preset or "class" if options.network is None else options.network)


def _learning_rate(options: argparse.Namespace, preset: Preset) -> float:
    return preset.learning_rate if options.learning_rate is None else float(options.learning_rate)


def _iterations(options: argparse.Namespace, preset: Preset) -> int:
    return preset.iterations if options.iterations is None else int(options.iterations)


def _write_workbook(options: argparse.Namespace) -> None:
    if options.output.suffix.lower() != ".xlsx":
        raise BackpropError(f"{options.output} is no name for a workbook: let it end in .xlsx")
    from backprop.sheet.workbook import WorkbookOptions, build_workbook

    preset = _preset(options)
    wanted = WorkbookOptions(
        preset,
        _learning_rate(options, preset),
        _iterations(options, preset),
        options.as_taught,
        author=options.author,
        protected=options.protected,
    )
    export = build_workbook(wanted)
    export.save(options.output)
    for trace in export.traces:
        if trace.overflow is not None:
            _warn(f"{_overflows(preset, trace.learning_rate, trace.overflow)}; its cells show #NUM! from there on")
    print(f"wrote {options.output}: η = {wanted.learning_rate:g}, {wanted.iterations} iterations a sheet")


def _print_derivation(options: argparse.Namespace) -> None:
    from backprop.derivation import derive
    from backprop.listing import DERIVATION_FORMATS

    sys.stdout.write(DERIVATION_FORMATS[options.format](derive(_preset(options).network)))


def _print_trace(options: argparse.Namespace) -> None:
    from backprop.derivation import as_taught, derive
    from backprop.listing import TRACE_FORMATS
    from backprop.simulate import simulate

    preset = _preset(options)
    derivation = derive(preset.network)
    if options.as_taught:
        derivation = as_taught(derivation)
    eta = _learning_rate(options, preset)
    iterations = _iterations(options, preset)
    trace = simulate(derivation, preset, eta, iterations, sequential=options.sequential)
    sys.stdout.writelines(TRACE_FORMATS[options.format](trace))
    if trace.overflow is not None:
        _warn(f"{_overflows(preset, eta, trace.overflow)}; printed the rows before")


def _check(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from backprop.check.output import as_csv, as_json, as_text, describe_copies
    from backprop.check.workbooks import check_files
    from backprop.copies.orders import Orders, check_and_copy

    if options.html is not None and options.html.suffix.lower() not in (".html", ".htm"):
        raise BackpropError(f"{options.html} is no name for a page: let it end in .html")
    files = _collect(options)
    annotated, fixed = (_plan(options, files, folder) for folder in (options.annotate, options.fixed))
    orders = Orders(annotated, fixed, excerpts=options.html is not None)
    job = None if orders == Orders() else partial(check_and_copy, orders)
    with tqdm(total=len(files), disable=None if len(files) > 1 else True, leave=False, unit=" files") as bar:
        reports = check_files(files, lambda _: bar.update(), job)
    if options.json or options.csv:
        sys.stdout.write(as_json(reports) if options.json else as_csv(reports))
    else:
        sys.stdout.write(as_text(reports, strict=options.strict))
    if options.html is not None:
        from reports.check_page import render_check

        write_file(options.html, render_check(reports, strict=options.strict).encode())
    for line in (*describe_copies(reports), *([f"wrote {options.html}"] if options.html else [])):
        print(line, file=sys.stderr if options.json or options.csv else sys.stdout)
    if any(copy.error for report in reports for copy in report.copies):
        return NO_OUTPUT
    if not all(report.is_read for report in reports):
        return WRONG_INPUT
    return FINDING if any(report.counted(strict=options.strict) for report in reports) else DONE


def _collect(options: argparse.Namespace) -> list[Path]:
    """Return the files to check; the copies of an earlier call are none."""
    from backprop.check.workbooks import collect_files

    outputs = [folder.resolve() for folder in (options.annotate, options.fixed) if folder is not None]
    if len(outputs) == 2 and outputs[0] == outputs[1]:
        raise BackpropError("--annotate and --fixed name the same folder: give each one of its own")
    for path in options.paths:
        if any(path.resolve().is_relative_to(folder) for folder in outputs):
            raise BackpropError(f"{path} lies where the copies go: name another folder for them")
    files = [f for f in collect_files(options.paths) if not any(f.resolve().is_relative_to(o) for o in outputs)]
    if not files:
        raise BackpropError(f"no spreadsheet in {', '.join(map(str, options.paths))}")
    return files


def _plan(options: argparse.Namespace, files: Sequence[Path], folder: Path | None) -> Mapping[Path, Path]:
    from backprop.copies.orders import plan_copies

    return {} if folder is None else plan_copies(options.paths, files, folder, replaces=options.force)


def _prove(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from backprop.crosscheck.comparison import all_cases, compare
    from backprop.crosscheck.engines import ENGINES
    from backprop.crosscheck.report import format_report
    from backprop.records import write_record

    if not (1 <= options.cases <= 1000 and 1 <= options.iterations <= 1000):
        raise BackpropError("--cases and --iterations go from 1 to 1000")
    cases = all_cases(options.seed, options.cases, options.iterations, _preset(options))
    with tqdm(total=len(ENGINES), disable=None, leave=False, unit=" engines") as bar:

        def show(name: str) -> None:
            bar.set_description(name)
            bar.update()

        report = compare(cases, options.seed, show)
    sys.stdout.write(format_report(report))
    if options.output is not None:
        write_record(options.output, report)
    return DONE if all(pair.agrees for pair in report.pairs) else FINDING


def _overflows(preset: Preset, learning_rate: float, iteration: int) -> str:
    what = "the class formula 1/(1 + EXP(-x))" if preset.network.description.endswith("sigmoid") else "a formula"
    return f"at η = {learning_rate:g} {what} overflows in iteration {iteration}"


def _warn(text: str) -> None:
    with suppress(OSError):
        print(f"warning: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
