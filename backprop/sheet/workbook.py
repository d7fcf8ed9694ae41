"""The whole workbook: the class sheet, the comparison of learning rates, and one sheet per further curve."""

from dataclasses import dataclass

from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet
from tqdm import tqdm

from backprop.derivation import as_taught, derive, slips
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES, TOTAL_ERROR, Preset
from backprop.panels import panels
from backprop.printers.excel import ExcelPrinter
from backprop.printers.text import TextPrinter
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.chart import Curve, error_chart
from backprop.sheet.comparison import write_comparison
from backprop.sheet.picture import network_anchor
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
    runs = [
        Run(derivation, options.preset, simulate(derivation, options.preset, eta, options.iterations))
        for eta in (options.learning_rate, *SHEET_LEARNING_RATES)
    ]
    book = Book()
    _write_class_sheet(book, options, runs[0])
    curves = runs[1:]
    tables = [layout.curve_table(n, derivation, options.iterations) for n in range(1, len(curves) + 1)]
    write_comparison(book, tables, curves)
    shown = None if options.iterations >= _LONG_TABLE else True  # None: on terminals only
    sheets = tqdm(zip(tables, curves, strict=True), total=len(tables), disable=shown, unit=" sheets", leave=False)
    for number, (place, run) in enumerate(sheets, start=1):
        _write_curve_sheet(book, number, place, run)
    return Export(book, tuple(run.trace for run in runs))


def _write_class_sheet(book: Book, options: WorkbookOptions, run: Run) -> None:
    sheet = book.add_sheet(layout.CLASS_SHEET)
    place = layout.class_table(run.derivation, options.iterations)
    sheet["A1"], sheet["A1"].font = "Backpropagation of a 2-2-2 network, one training step a row", style.TITLE
    sheet["A2"], sheet["A2"].font = (
        "Yellow cells are yours to change: η, targets, inputs and initial weights. All other cells and sheets follow.",
        style.HINT,
    )
    write_table(book, sheet, place, run)
    _write_parameters(sheet, place, run)
    _write_panels(sheet, run.preset)
    _write_notes(sheet, place, run, options)
    errors = Curve(place.range(TOTAL_ERROR), run.trace.column(TOTAL_ERROR), "E_total")
    sheet.add_chart(error_chart("Loss", [errors], layout.iteration_cells(options.iterations), layout.LOSS_CHART))
    start = dict(zip(run.trace.columns, run.trace.values[0].tolist(), strict=True)) | dict(run.preset.values)
    book.set_shapes(sheet, network_anchor(run.preset.network, place, start))
    style.print_on_one_width(sheet)


def _write_parameters(sheet: Worksheet, place: layout.TablePlace, run: Run) -> None:
    """Write η and the biases, and mark every cell that the reader may change."""
    network = run.preset.network
    for (label, cell), bias in zip(layout.BIASES, network.biases, strict=False):
        sheet[label], sheet[label].font, sheet[label].alignment = f"{bias} =", style.LABEL, style.RIGHT
        sheet[cell] = run.preset.values[bias]
        style.make_editable(sheet, cell, large=True)
    sheet["F31"], sheet["F31"].font, sheet["F31"].alignment = "η =", style.LABEL, style.RIGHT
    sheet[place.learning_rate] = run.trace.learning_rate
    style.make_editable(sheet, place.learning_rate, large=True)
    style.validate_learning_rate(sheet, place.learning_rate)
    starts = [place.cell(name) for name in (*network.targets, *network.inputs, *network.weights)]
    for cell in starts:
        style.make_editable(sheet, cell)
    style.validate_numbers(sheet, [*starts, *map(place.bias_cell, network.biases)])


def _write_panels(sheet: Worksheet, preset: Preset) -> None:
    """Write the derivation as the class tells it; it is right there even where the class sheet's cells are not."""
    printer = TextPrinter()
    for panel in panels(derive(preset.network)):
        place = layout.PANELS[panel.number]
        sheet[place.number_cell], sheet[place.number_cell].font = panel.number, style.PANEL
        sheet[place.number_cell].alignment = style.LEFT
        if place.merged_number:
            sheet.merge_cells(place.line(-1))
        for index, line in enumerate(panel.lines):
            area = place.line(index)
            first = area.split(":")[0]
            sheet[first] = " = ".join(map(printer.print, line.terms))
            sheet[first].font = style.PANEL
        first_column, last_column = place.columns
        style.make_box(sheet, f"{first_column}{place.box_top}:{last_column}{place.first_row + len(panel.lines) - 1}")
        for index in range(len(panel.lines)):
            sheet.merge_cells(place.line(index))


def _write_notes(sheet: Worksheet, place: layout.TablePlace, run: Run, options: WorkbookOptions) -> None:
    """Say on the two headers how the class sheet's formula differs."""
    printer = ExcelPrinter(place.cell)
    for slip in slips(derive(options.preset.network)):
        taught, derived = printer.formula(slip.taught), printer.formula(slip.derived)
        what = f"{slip.used}·(1 - {slip.used}) where {slip.meant}·(1 - {slip.meant}) belongs"
        text = (
            f"As in the class sheet: {what}. Panel 6 and the derivation say\n{derived}"
            if options.as_taught
            else f"The class sheet's cells have {what}:\n{taught}\nThis column follows the derivation and panel 6."
        )
        note = Comment(text, "Backprop")
        note.width, note.height = 420, 130
        sheet[f"{place.letter(slip.name)}{place.header_row}"].comment = note


def _write_curve_sheet(book: Book, number: int, place: layout.TablePlace, run: Run) -> None:
    sheet = book.add_sheet(place.sheet)
    source = list(layout.curve_places(number))[-1]
    sheet["A1"], sheet["A1"].font = f"Curve {number}: the class sheet's table for another learning rate", style.TITLE
    sheet["F2"], sheet["F2"].font, sheet["F2"].alignment = "η =", style.LABEL, style.RIGHT
    formula = f"={layout.COMPARISON_SHEET}!{layout.absolute(source.learning_rate)}"
    book.set_formula(sheet[place.learning_rate], formula, run.trace.learning_rate)
    sheet[place.learning_rate].font = style.LABEL
    sheet["H2"], sheet["H2"].font = (
        f"η is edited on the sheet {layout.COMPARISON_SHEET}, all starting values on the {layout.CLASS_SHEET.lower()}.",
        style.HINT,
    )
    write_table(book, sheet, place, run)
    sheet.freeze_panes = f"A{place.first_row}"
    style.print_on_one_width(sheet, place.header_row)
