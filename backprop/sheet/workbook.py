"""The whole workbook: the first sheet, the comparison of learning rates, and one sheet per further curve."""

from dataclasses import dataclass

from tqdm import tqdm

from backprop.derivation import as_taught, derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES, Preset
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.check_sheet import write_check_sheet
from backprop.sheet.class_sheet import write_class_sheet
from backprop.sheet.comparison import write_comparison
from backprop.sheet.general_sheet import write_general_sheets
from backprop.sheet.table import Run, write_table
from backprop.simulate import Trace, simulate

_LONG_TABLE = 500  # rows; about five seconds


@dataclass(frozen=True)
class WorkbookOptions:
    """What a reader can choose before the workbook is written."""

    preset: Preset
    learning_rate: float
    iterations: int
    """Rows of each table, 1 to 10,000; the first one is iteration 0."""
    as_taught: bool = False
    """Whether to repeat the class sheet's slip."""


@dataclass(frozen=True)
class Export:
    """A workbook ready to save, and the runs in it: the class sheet's first, then the curves'."""

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
    tables = [layout.curve_table(n, place) for n in range(1, len(curves) + 1)]
    write_comparison(book, tables, curves)
    shown = None if options.iterations >= _LONG_TABLE else True  # None: on terminals only
    sheets = tqdm(zip(tables, curves, strict=True), total=len(tables), disable=shown, unit=" sheets", leave=False)
    for number, (table, run) in enumerate(sheets, start=1):
        _write_curve_sheet(book, number, table, run)
    write_check_sheet(book, place, main)
    return Export(book, tuple(run.trace for run in (main, *curves)))


def _write_curve_sheet(book: Book, number: int, place: layout.TablePlace, run: Run) -> None:
    sheet = book.add_sheet(place.sheet)
    source = list(layout.curve_places(number))[-1]
    sheet["A1"], sheet["A1"].font = (
        f"Curve {number}: the table of “{_origin(place)}” for another learning rate",
        style.TITLE,
    )
    sheet["F2"], sheet["F2"].font, sheet["F2"].alignment = "η =", style.LABEL, style.RIGHT
    formula = f"={layout.COMPARISON_SHEET}!{layout.absolute(source.learning_rate)}"
    book.set_formula(sheet[place.learning_rate], formula, run.trace.learning_rate)
    sheet[place.learning_rate].font = style.LABEL
    sheet["H2"], sheet["H2"].font = (
        f"η is edited on the sheet “{layout.COMPARISON_SHEET}”, all starting values on “{_origin(place)}”.",
        style.HINT,
    )
    write_table(book, sheet, place, run)
    sheet.freeze_panes = f"A{place.first_row}"
    style.print_on_one_width(sheet, place.header_row)


def _origin(place: layout.TablePlace) -> str:
    return place.sheet if place.origin is None else place.origin.sheet
