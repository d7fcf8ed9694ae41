"""The whole workbook: the first sheet, the comparison of learning rates with a sheet per curve, and the check."""

from dataclasses import dataclass

from backprop.derivation import as_taught, derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES, Preset
from backprop.sheet import layout
from backprop.sheet.book import Book
from backprop.sheet.check_sheet import write_check_sheet
from backprop.sheet.comparison import write_comparison
from backprop.sheet.first_sheet import write_class_sheet, write_general_sheets
from backprop.sheet.table import Run
from backprop.simulate import Trace, simulate


@dataclass(frozen=True)
class WorkbookOptions:
    """Everything that decides what a workbook holds."""

    preset: Preset
    learning_rate: float
    iterations: int
    """Rows of each table, 1 to 10,000; the first one is iteration 0."""
    as_taught: bool = False
    """Whether to repeat the class sheet's wrong gradients."""


@dataclass(frozen=True)
class Export:
    """A workbook ready to save, and the runs in it: the first sheet's, then the curves'."""

    book: Book
    traces: tuple[Trace, ...]


def build_workbook(options: WorkbookOptions) -> Export:
    """Build the workbook. Raises BackpropError for options that make none."""
    if not 1 <= options.iterations <= layout.MAX_ITERATIONS:
        raise BackpropError(
            f"{options.iterations} iterations do not fit a workbook: give 1 to {layout.MAX_ITERATIONS}, "
            "or use `python -m backprop trace` for longer runs"
        )
    derivation = derive(options.preset.network)
    if options.as_taught:
        derivation = as_taught(derivation)
    main, *curves = (
        Run(derivation, options.preset, simulate(derivation, options.preset, eta, options.iterations))
        for eta in (options.learning_rate, *SHEET_LEARNING_RATES)
    )
    book, place = Book(), layout.main_table(derivation, options.iterations)
    write_first = write_class_sheet if layout.is_class_shape(options.preset.network) else write_general_sheets
    write_first(book, place, main)
    write_comparison(book, place, curves)
    write_check_sheet(book, place, main)
    return Export(book, tuple(run.trace for run in (main, *curves)))
