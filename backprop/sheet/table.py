"""The live table: a header, iteration 0, and further rows of formulas that read the row itself and the one above."""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
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
    """Content of one table: the equations, the starting values, and the numbers to cache."""

    derivation: Derivation
    preset: Preset
    trace: Trace

    @property
    def start(self) -> dict[str, float]:
        """Every number of iteration 0 by name, and the biases that are not trained."""
        return {**self.preset.values, **dict(zip(self.trace.columns, self.trace.values[0].tolist(), strict=True))}


def write_table(book: Book, sheet: Worksheet, place: TablePlace, run: Run) -> None:
    """Write a whole table. The first sheet's holds the starting values; other tables refer to it."""
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
    """Return a column's formula by iteration; None where a number is typed."""
    derivation, network = run.derivation, run.preset.network
    from_row_above = {constant: sp.Symbol(constant) for constant in (*network.targets, *network.inputs)}
    from_row_above |= {update.name: update.expression for update in derivation.updates}
    expression = from_row_above[name] if name in from_row_above else derivation.equation(name).expression
    pattern = ExcelPrinter(lambda symbol: place.reference(symbol, "{row}")).formula(expression)

    def formula_at(iteration: int) -> str | None:
        row = place.first_row + iteration
        if name not in from_row_above:
            return pattern.format(row=row)
        if iteration > 0:
            return pattern.format(row=row - 1)
        return None if place.origin is None else f"='{place.origin.sheet}'!{place.origin.cell(name)}"

    return formula_at
