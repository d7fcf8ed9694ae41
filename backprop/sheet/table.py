"""The live table: header, iteration 0, and every further row as formulas by neighbouring cells."""

from collections.abc import Callable
from dataclasses import dataclass

from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import Derivation
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Preset
from backprop.printers.excel import ExcelPrinter
from backprop.sheet import style
from backprop.sheet.book import Book
from backprop.sheet.layout import CLASS_SHEET, TablePlace, absolute, class_table, header
from backprop.simulate import Trace

_COLUMN_WIDTH = 10.7


@dataclass(frozen=True)
class Run:
    """One table's worth: the mathematics, the starting values, and the numbers to cache."""

    derivation: Derivation
    preset: Preset
    trace: Trace
    bias_cells: dict[str, str]
    """Where each bias stands on the class sheet."""


def write_table(book: Book, sheet: Worksheet, place: TablePlace, run: Run) -> None:
    """Write a whole table. Only the class sheet's own holds starting values; other tables refer to it."""
    style.make_header(sheet, place.header_row, [header(name) for name in place.columns])
    for index, name in enumerate(place.columns):
        sheet.column_dimensions[place.letter(name)].width = _COLUMN_WIDTH
        formula_at = _formulas(place, run, name)
        for iteration, value in enumerate(run.trace.values[:, index].tolist()):
            cell = place.cell(name, iteration)
            formula = formula_at(iteration)
            if formula is None:
                sheet[cell] = value
            else:
                book.set_formula(sheet, cell, formula, value)
            sheet[cell].font = style.DATA
        if name == TOTAL_ERROR:
            _paint_red(sheet, place)


def _paint_red(sheet: Worksheet, place: TablePlace) -> None:
    for iteration in range(place.iterations):
        cell = sheet[place.cell(TOTAL_ERROR, iteration)]
        cell.fill, cell.font = style.RED, style.ERROR_DATA


def _formulas(place: TablePlace, run: Run, name: str) -> Callable[[int], str | None]:
    """Give a column's formula by iteration; None where a number is typed."""
    derivation = run.derivation
    origin = class_table(place.columns, place.iterations)
    start = None if place.sheet == CLASS_SHEET else f"='{CLASS_SHEET}'!{origin.cell(name)}"

    if name in (*run.preset.network.targets, *run.preset.network.inputs):
        pattern = f"={place.letter(name)}{{before}}"
    elif name in run.preset.network.weights:
        update = next(e for e in derivation.updates if e.name == name)
        pattern = _printer(place, run, "{before}").formula(update.expression)
    else:
        pattern = _printer(place, run, "{row}").formula(derivation.equation(name).expression)
        start = pattern

    def formula_at(iteration: int) -> str | None:
        row = place.first_row + iteration
        chosen = pattern if iteration else start
        return None if chosen is None else chosen.format(row=row, before=row - 1)

    return formula_at


def _printer(place: TablePlace, run: Run, row: str) -> ExcelPrinter:
    """Print with cells of one row; the learning rate and biases are anchored."""

    def cell_of(name: str) -> str:
        if name == LEARNING_RATE:
            return absolute(place.learning_rate)
        if name in run.bias_cells:
            anchored = absolute(run.bias_cells[name])
            return anchored if place.sheet == CLASS_SHEET else f"'{CLASS_SHEET}'!{anchored}"
        return f"{place.letter(name)}{row}"

    return ExcelPrinter(cell_of)
