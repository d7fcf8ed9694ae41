"""The exercise's tables in a sheet: a header row that names the quantities, rows of numbers below, a cell for η."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.utils import get_column_letter

from backprop.check.cells import Address, ForeignCell, ForeignWorkbook
from backprop.check.formulas import Reference, Tree, UnreadableError, parse
from backprop.derivation import derive
from backprop.network import PRESETS, gradient_name

CLASS = derive(PRESETS["class"].network)
BIASES = ("b1", "b2", "b3", "b4", "b_h1", "b_h2", "b_o1", "b_o2")
"""Columns that a sheet may have beside the class's: one bias a layer, or one a neuron."""
QUANTITIES = (*CLASS.columns, *BIASES, *map(gradient_name, BIASES))
_WEIGHTS, _GRADIENTS = frozenset(CLASS.network.weights), frozenset(map(gradient_name, CLASS.network.weights))
_COMPUTED = tuple(q for q in CLASS.columns if q not in (*CLASS.constants, *_WEIGHTS))
_MIN_COLUMNS, _MIN_GRADIENTS, _MIN_WEIGHTS = 18, 4, 4

_LOOKALIKES = str.maketrans(dict.fromkeys("∂𝜕𝝏𝛛𝞉𝟃δΔ𝛿𝑑𝐝ẟ", "d") | dict.fromkeys("σ𝜎", "s") | {"ƞ": "η"})
_HEADERS = tuple(
    (re.compile(pattern), quantity)
    for pattern, quantity in (
        (r"(?:t|target)([12])", r"t\1"),
        (r"(?:i|x|in|input)([12])", r"i\1"),
        (r"(?:w|weight)([1-8])", r"w\1"),
        (r"(?:h|neth|hnet|inh|zh)([12])", r"h\1"),
        (r"(?:ah|outh|hout|aouth|sh|acth|a_h)([12])", r"a_h\1"),
        (r"(?:o|neto|onet|ino|zo)([12])", r"o\1"),
        (r"(?:ao|outo|oout|aouto|so|acto|a0|y|out)([12])", r"a_o\1"),
        (r"(?:e|error|err|loss)([12])", r"E\1"),
        (r"(?:e|error|err|loss)(?:t|tot|total)|(?:total|tot)(?:e|error|err|loss)|etota?l?", "E_total"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?dw([1-8])", r"dE_dw\1"),
        (r"(?:grad|gradient)w?([1-8])", r"dE_dw\1"),
        (r"(?:b|bias)([1-4])", r"b\1"),
        (r"(?:b|bias)([ho][12])", r"b_\1"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?d(?:b|bias)([1-4])", r"dE_db\1"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?d(?:b|bias)([ho][12])", r"dE_db_\1"),
    )
)


@dataclass(frozen=True)
class ForeignTable:
    """Where a table stands: its columns by quantity, its header, its rows, and the cell that it takes η from."""

    sheet: str
    header_row: int
    columns: Mapping[str, int]
    first_row: int
    row_count: int
    learning_rate: Address | None = None

    @property
    def last_row(self) -> int:
        """Return the last complete row."""
        return self.first_row + self.row_count - 1

    @property
    def rows(self) -> range:
        """Return the rows of numbers."""
        return range(self.first_row, self.last_row + 1)

    @property
    def header(self) -> str:
        """Format the address of the first header cell."""
        return Address(self.sheet, self.header_row, min(self.columns.values())).a1

    def address(self, quantity: str, row: int) -> Address:
        """Return where a quantity stands in a row; raises KeyError for one that has no column."""
        return Address(self.sheet, row, self.columns[quantity])

    def letters(self, quantity: str) -> str:
        """Return the column letters of a quantity."""
        return get_column_letter(self.columns[quantity])


@dataclass(frozen=True)
class NearestHeader:
    """The row that looks most like a header where no table was found."""

    sheet: str
    row: int
    recognised: int


def parse_header(text: object) -> str | None:
    """Return the name of the quantity that a header means, or None.

    Letters for ∂ vary (∂ 𝜕 δ d), as do capitals, blanks, underscores, hyphens and brackets around arguments.
    """
    if not isinstance(text, str) or len(text) > 40:
        return None
    plain = unicodedata.normalize("NFKC", text.translate(_LOOKALIKES)).translate(_LOOKALIKES).casefold()
    plain = re.sub(r"\(.*?\)$", lambda m: m.group() if "w" in m.group() or "h" in m.group() else "", plain)
    squeezed = re.sub(r"[\s_\-.*(){}\[\]]", "", plain)
    matches = ((pattern.fullmatch(squeezed), quantity) for pattern, quantity in _HEADERS)
    return next((match.expand(quantity) for match, quantity in matches if match), None)


def find_tables(workbook: ForeignWorkbook) -> tuple[list[ForeignTable], NearestHeader | None]:
    """Find all tables of all sheets, hidden ones too, and the row that looks most like a header."""
    tables: list[ForeignTable] = []
    nearest: NearestHeader | None = None
    for sheet, cells in workbook.sheets.items():
        for row, headers in sorted(_find_headers(cells).items()):
            if nearest is None or len(headers) > nearest.recognised:
                nearest = NearestHeader(sheet, row, len(headers))
            for columns in _split_headers(headers):
                table = _find_rows(sheet, cells, row, columns)
                if table is not None:
                    tables.append(replace(table, learning_rate=_find_learning_rate(workbook, table)))
    return tables, nearest


def _find_headers(cells: Mapping[tuple[int, int], ForeignCell]) -> dict[int, list[tuple[int, str]]]:
    rows: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for (row, column), cell in cells.items():
        quantity = parse_header(cell.value)
        if quantity is not None:
            rows[row].append((column, quantity))
    return rows


def _split_headers(headers: list[tuple[int, str]]) -> list[dict[str, int]]:
    """Split a row into tables side by side: a quantity that comes again begins a new one."""
    groups: list[dict[str, int]] = [{}]
    first: dict[str, int] = {}
    for column, quantity in sorted(headers):
        if quantity in groups[-1]:
            groups.append({})
        groups[-1][quantity] = column
        first.setdefault(quantity, column)
    complete = [group for group in groups if _is_table(group)]
    return complete or ([first] if _is_table(first) else [])


def _is_table(columns: Mapping[str, int]) -> bool:
    enough = len(_GRADIENTS & columns.keys()) >= _MIN_GRADIENTS and len(_WEIGHTS & columns.keys()) >= _MIN_WEIGHTS
    return enough and len(columns) >= _MIN_COLUMNS


def _find_rows(
    sheet: str, cells: Mapping[tuple[int, int], ForeignCell], header_row: int, columns: dict[str, int]
) -> ForeignTable | None:
    computed = [columns[q] for q in _COMPUTED if q in columns]
    first = next((row for row in range(header_row + 1, header_row + 4) if _is_complete(cells, row, computed)), None)
    if first is None:
        return None
    row = first
    while _is_complete(cells, row + 1, computed):
        row += 1
    return ForeignTable(sheet, header_row, columns, first, row - first + 1)


def _is_complete(cells: Mapping[tuple[int, int], ForeignCell], row: int, computed: list[int]) -> bool:
    filled = [cells[row, column] for column in computed if (row, column) in cells]
    numeric = [c for c in filled if c.is_formula or isinstance(c.content, int | float)]
    return len(numeric) * 2 > len(computed)


def _find_learning_rate(workbook: ForeignWorkbook, table: ForeignTable) -> Address | None:
    """Find the cell outside the table that most updates read.

    A reference counts by what it points to in the first update rows, so that one that is not anchored still counts.
    """
    votes = Counter[Address]()
    for weight in (w for w in CLASS.network.weights if w in table.columns):
        for row in (table.first_row + 1, table.first_row + 2):
            for reference, target in _find_references(workbook, table.address(weight, row)):
                inside = target.sheet == table.sheet and target.row >= table.first_row
                if not (inside and target.column in table.columns.values()):
                    votes[target] += 3 if reference.row_fixed else 1
    return votes.most_common(1)[0][0] if votes else None


def _find_references(workbook: ForeignWorkbook, address: Address) -> Iterator[tuple[Reference, Address]]:
    """Yield the references to single cells in a cell's formula, and what they point to."""
    pending: list[Any] = [_parse_cell(workbook, address)]
    while pending:
        tree = pending.pop()
        pending += getattr(tree, "arguments", ())
        if isinstance(tree, Reference):
            yield tree, tree.target(address)


def follow_copies(workbook: ForeignWorkbook, address: Address) -> Address:
    """Return the cell that holds the content of a cell that only repeats another one."""
    for _ in range(10):
        tree = _parse_cell(workbook, address)
        if not isinstance(tree, Reference):
            break
        address = tree.target(address)
    return address


def _parse_cell(workbook: ForeignWorkbook, address: Address) -> Tree | None:
    cell = workbook.cell(address)
    try:
        return parse(cell.content, address) if cell is not None and cell.is_formula else None
    except UnreadableError:
        return None
