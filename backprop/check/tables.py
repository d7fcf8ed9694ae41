"""Finding the exercise's tables in a sheet: a header row that names the quantities, and rows of numbers below."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from backprop.check.headers import quantity_of
from backprop.check.reading import Book, Cell, Place
from backprop.derivation import derive
from backprop.network import PRESETS, gradient_name

CLASS = derive(PRESETS["class"].network)
BIASES = ("b1", "b2", "b3", "b4", "b_h1", "b_h2", "b_o1", "b_o2")
"""Columns that a sheet may have beside the class's: one bias a layer, or one a neuron."""
QUANTITIES = (*CLASS.columns, *BIASES, *map(gradient_name, BIASES))
COMPUTED = tuple(q for q in CLASS.columns if q not in (*CLASS.constants, *CLASS.network.weights))
_ENOUGH, _ENOUGH_GRADIENTS, _ENOUGH_WEIGHTS = 18, 4, 4


@dataclass(frozen=True)
class Table:
    """Where a table stands: its columns by quantity, its header, its rows."""

    sheet: str
    header_row: int
    columns: Mapping[str, int]
    first_row: int
    rows: int

    @property
    def last_row(self) -> int:
        """Give the last complete row."""
        return self.first_row + self.rows - 1

    @property
    def header(self) -> str:
        """Give the address of the first header cell."""
        return f"{get_column_letter(min(self.columns.values()))}{self.header_row}"

    def letter(self, quantity: str) -> str:
        """Give the column letters of a quantity."""
        return get_column_letter(self.columns[quantity])


@dataclass(frozen=True)
class Nearest:
    """The row that looks most like a header where no table was found."""

    sheet: str
    row: int
    recognised: int


def find_tables(book: Book) -> tuple[list[Table], Nearest | None]:
    """Find all tables of all sheets, hidden ones too; where there is none, the row that came nearest."""
    tables: list[Table] = []
    nearest: Nearest | None = None
    for sheet, cells in book.sheets.items():
        for row, headers in sorted(_headers_by_row(cells).items()):
            if nearest is None or len(headers) > nearest.recognised:
                nearest = Nearest(sheet, row, len(headers))
            for columns in _split(headers):
                table = _with_rows(sheet, cells, row, columns)
                if table is not None:
                    tables.append(table)
    return tables, nearest


def _headers_by_row(cells: Mapping[Place, Cell]) -> dict[int, list[tuple[int, str]]]:
    rows: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for (row, column), cell in cells.items():
        quantity = quantity_of(cell.shown if cell.is_formula else cell.content)
        if quantity is not None:
            rows[row].append((column, quantity))
    return rows


def _split(headers: list[tuple[int, str]]) -> list[dict[str, int]]:
    """Split a row into tables side by side: a quantity that comes again begins a new one."""
    groups: list[dict[str, int]] = [{}]
    for column, quantity in sorted(headers):
        if quantity in groups[-1]:
            groups.append({})
        groups[-1][quantity] = column
    complete = [group for group in groups if _is_table(group)]
    if complete:
        return complete
    first: dict[str, int] = {}
    for column, quantity in sorted(headers):
        first.setdefault(quantity, column)
    return [first] if _is_table(first) else []


def _is_table(columns: Mapping[str, int]) -> bool:
    gradients = sum(q.startswith("dE_dw") for q in columns)
    weights = sum(q.startswith("w") for q in columns)
    return len(columns) >= _ENOUGH and gradients >= _ENOUGH_GRADIENTS and weights >= _ENOUGH_WEIGHTS


def _with_rows(sheet: str, cells: Mapping[Place, Cell], header_row: int, columns: dict[str, int]) -> Table | None:
    computed = [columns[q] for q in COMPUTED if q in columns]
    first = next((row for row in range(header_row + 1, header_row + 4) if _is_complete(cells, row, computed)), None)
    if first is None:
        return None
    row = first
    while _is_complete(cells, row + 1, computed):
        row += 1
    return Table(sheet, header_row, columns, first, row - first + 1)


def _is_complete(cells: Mapping[Place, Cell], row: int, computed: list[int]) -> bool:
    filled = [cells[row, column] for column in computed if (row, column) in cells]
    numeric = [c for c in filled if c.is_formula or isinstance(c.content, int | float)]
    return len(numeric) * 2 > len(computed)
