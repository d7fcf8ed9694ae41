"""The live table: header, iteration 0, and every further row as formulas by neighbouring cells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import Derivation
from backprop.network import TOTAL_ERROR, Preset
from backprop.printers.excel import ExcelPrinter
from backprop.sheet import style
from backprop.sheet.book import Book
from backprop.sheet.layout import TablePlace, header
from backprop.simulate import Trace

_COLUMN_WIDTH = 10.7


@dataclass(frozen=True)
class Run:
    """One table's worth: the mathematics, the starting values, and the numbers to cache."""

    derivation: Derivation
    preset: Preset
    trace: Trace


def write_table(book: Book, sheet: Worksheet, place: TablePlace, run: Run) -> None:
    """Write a whole table. Only the first sheet's holds starting values; other tables refer to it."""
    style.make_header(sheet, place.header_row, [header(name) for name in place.columns])
    for column, name in enumerate(place.columns, start=1):
        sheet.column_dimensions[place.letter(name)].width = _COLUMN_WIDTH
        look = style.ERROR_DATA if name == TOTAL_ERROR else style.DATA
        formula_at = _formulas(place, run, name)
        for iteration, value in enumerate(run.trace.column(name).tolist()):
            cell = sheet.cell(place.first_row + iteration, column)
            cell.style = look
            formula = formula_at(iteration)
            if formula is None:
                cell.value = value
            else:
                book.set_formula(cell, formula, value)


def _formulas(place: TablePlace, run: Run, name: str) -> Callable[[int], str | None]:
    """Give a column's formula by iteration; None where a number is typed."""
    derivation = run.derivation
    start = None if place.origin is None else f"='{place.origin.sheet}'!{place.origin.cell(name)}"

    def printed(expression: Any, row: str) -> str:
        return ExcelPrinter(lambda symbol: place.reference(symbol, row)).formula(expression)

    if name in (*run.preset.network.targets, *run.preset.network.inputs):
        pattern = f"={place.letter(name)}{{before}}"
    elif name in run.preset.network.parameters:
        update = next(e for e in derivation.updates if e.name == name)
        pattern = printed(update.expression, "{before}")
    else:
        start = pattern = printed(derivation.equation(name).expression, "{row}")

    def formula_at(iteration: int) -> str | None:
        row = place.first_row + iteration
        chosen = pattern if iteration else start
        return None if chosen is None else chosen.format(row=row, before=row - 1)

    return formula_at
