"""The live table: a header, iteration 0, and further rows of formulas that read the row itself and the one above."""

from dataclasses import dataclass

import sympy as sp
from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import Derivation
from backprop.network import TOTAL_ERROR, Network, Preset, gradient_variable
from backprop.printers.excel import ExcelPrinter
from backprop.sheet import style
from backprop.sheet.book import Book, Column
from backprop.sheet.layout import CLASS_SHEET, TablePlace, header
from backprop.simulate import Trace

_COLUMN_WIDTH = 10.7
COLUMNS_ON_A_PAGE = 18
"""Of that width, at the scale at which tables are printed; the class sheet's panels end there."""


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
    columns = [_column(place, run, name) for name in place.columns]
    for number, (name, column) in enumerate(zip(place.columns, columns, strict=True), start=1):
        sheet.column_dimensions[place.letter(name)].width = _COLUMN_WIDTH
        cell, value = sheet.cell(place.first_row, number), run.start[name]
        cell.style = column.style
        formula = _start(place, run, name, column)
        if formula is None:
            cell.value = value
        else:
            book.set_formula(cell, formula, value)
    style.colour_errors(sheet, f"A{place.first_row}:{place.letter(place.columns[-1])}{place.last_row}")
    if place.iterations > 1:
        book.fill_rows(sheet, place.first_row + 1, columns, run.trace.values[1:])


def _column(place: TablePlace, run: Run, name: str) -> Column:
    """Return what every row but the first holds of a quantity."""
    derivation, network = run.derivation, run.preset.network
    from_row_above = {constant: sp.Symbol(constant) for constant in (*network.targets, *network.inputs)}
    from_row_above |= {update.name: update.expression for update in derivation.updates}
    row = "{other}" if name in from_row_above else "{row}"
    expression = from_row_above.get(name) or derivation.equation(name).expression
    formula = ExcelPrinter(lambda symbol: place.reference(symbol, row)).formula(expression)
    return Column(_look(place, network, name), formula)


def _look(place: TablePlace, network: Network, name: str) -> str:
    """Return the style of a quantity's numbers; on the class sheet they are shown as the class has them."""
    if place.sheet == CLASS_SHEET:
        return style.ERROR_DATA if name == TOTAL_ERROR else style.DATA
    if name == TOTAL_ERROR:
        return style.ERROR_SMALL
    if name in (*network.targets, *network.inputs):
        return style.DATA
    return style.SMALL if name in network.errors or gradient_variable(name) else style.FIXED


def _start(place: TablePlace, run: Run, name: str, column: Column) -> str | None:
    """Return a quantity's formula at iteration 0; None where a number is typed."""
    assert column.formula is not None
    if name not in run.preset.values:
        return column.formula.format(row=place.first_row)
    return None if place.origin is None else f"='{place.origin.sheet}'!{place.origin.cell(name)}"
