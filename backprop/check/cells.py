"""A foreign workbook as data: cells by column, charts, names and tables; `reading` makes it from a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from openpyxl.utils import get_column_letter

from backprop.check.patterns import Pattern

Content = float | str | bool | None
"""A number, a text (an error's, such as #VALUE!, too), a truth value, or nothing."""


class Address(NamedTuple):
    """A cell's sheet, row and column, both counted from 1."""

    sheet: str
    row: int
    column: int

    @property
    def letters(self) -> str:
        """Return the column's letters."""
        return get_column_letter(self.column)

    @property
    def a1(self) -> str:
        """Format row and column without the sheet: Z33."""
        return f"{self.letters}{self.row}"


class Rectangle(NamedTuple):
    """A rectangle of cells of one sheet, its corners included."""

    top: int
    left: int
    bottom: int
    right: int


class Cell(NamedTuple):
    """A cell that holds something; a formula is shared by all cells into which it was filled."""

    value: Content
    """What was typed, or a formula's stored result (None if none is stored)."""
    formula: Pattern | None = None
    array: Rectangle | None = None
    """The cells that one array formula fills, this one among them; `formula` is then written in its first cell."""


@dataclass(frozen=True)
class Sheet:
    """A sheet's cells that exist."""

    name: str
    columns: Mapping[int, Mapping[int, Cell]]
    """By column, then by row in ascending order."""
    texts: Mapping[tuple[int, int], str]
    """By row and column: what cells show that show a text, typed or computed."""


@dataclass(frozen=True)
class ExcelTable:
    """A table that Excel knows by name, as `Table1[[#This Row],[w1]]` refers to it."""

    name: str
    sheet: str
    cells: Rectangle
    """With its header row, if it has one."""
    columns: tuple[str, ...]
    """The names of its columns from left to right."""
    header_rows: int
    total_rows: int


@dataclass(frozen=True)
class ChartSeries:
    """One series of a chart: the reference to its values, as written."""

    sheet: str
    """The sheet that shows the chart."""
    reference: str


@dataclass(frozen=True)
class ForeignWorkbook:
    """All that a check reads of a workbook."""

    sheets: Mapping[str, Sheet]
    """Worksheets by name, hidden ones too, in the workbook's order."""
    names: Mapping[tuple[str | None, str], str]
    """Defined names: the sheet that alone knows it, or None, and the name in capitals → what it stands for, no =."""
    tables: tuple[ExcelTable, ...]
    series: tuple[ChartSeries, ...]
    has_macros: bool = False

    @property
    def has_solver(self) -> bool:
        """Return whether Excel's Solver has been set up: it keeps its settings in names."""
        return any(name.startswith("SOLVER_") for _, name in self.names)

    def cell(self, address: Address) -> Cell | None:
        """Return a cell, or None where there is none."""
        sheet = self.sheets.get(address.sheet)
        return None if sheet is None else sheet.columns.get(address.column, {}).get(address.row)

    def value(self, address: Address) -> Content:
        """Return what was typed into a cell or is stored as its formula's result; None where there is nothing."""
        cell = self.cell(address)
        return None if cell is None else cell.value

    def formula(self, address: Address) -> str | None:
        """Return a cell's formula as a spreadsheet shows it, with its =; None where there is none."""
        cell = self.cell(address)
        if cell is None or cell.formula is None:
            return None
        if cell.array is not None:
            return cell.formula.text(cell.array.top, cell.array.left)
        return cell.formula.text(address.row, address.column)

    def addresses(self) -> Iterator[Address]:
        """Yield the addresses of all cells."""
        for sheet in self.sheets.values():
            for column, cells in sheet.columns.items():
                for row in cells:
                    yield Address(sheet.name, row, column)

    def formulas(self, without: Mapping[str, Sequence[Rectangle]]) -> Iterator[Address]:
        """Yield the addresses of the cells that hold formulas, without those in some rectangles, by sheet."""
        for sheet in self.sheets.values():
            for column, cells in sheet.columns.items():
                rows = [range(r.top, r.bottom + 1) for r in without.get(sheet.name, ()) if r.left <= column <= r.right]
                for row, cell in cells.items():
                    if cell.formula is not None and not any(row in span for span in rows):
                        yield Address(sheet.name, row, column)
