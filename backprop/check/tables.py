"""The exercise's tables in a sheet: a header row that names the quantities, rows of numbers below, a cell for η."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from openpyxl.utils import get_column_letter

from backprop.check.cells import Address, Cell, ForeignWorkbook, Rectangle, Sheet
from backprop.check.references import Formulas, read_number_as_text
from backprop.derivation import derive
from backprop.network import gradient_name
from backprop.networks.presets import PRESETS

CLASS = derive(PRESETS["class"].network)
BIASES = ("b1", "b2", "b3", "b4", "b_h1", "b_h2", "b_o1", "b_o2")
"""Columns that a sheet may have beside the class's: one bias a layer, or one a neuron."""
QUANTITIES = (*CLASS.columns, *BIASES, *map(gradient_name, BIASES))
_WEIGHTS, _GRADIENTS = frozenset(CLASS.network.weights), frozenset(map(gradient_name, CLASS.network.weights))
_COMPUTED = tuple(q for q in CLASS.columns if q not in (*CLASS.constants, *_WEIGHTS))
_NEURONS = tuple(neuron for layer in CLASS.network.layers for neuron in layer)
_MIN_COLUMNS, _MIN_WEIGHTS = 14, 4
_MIN_OF_CLASS = 6
"""Weights and gradients that a table of the class has at least; the others may have a header that says nothing."""

_LOOKALIKES = str.maketrans(dict.fromkeys("∂𝜕𝝏𝛛𝞉𝟃δΔ𝛿𝑑𝐝ẟðÐ", "d") | dict.fromkeys("σ𝜎", "s") | {"ƞ": "η"})
_AMBIGUOUS = {"y1": ("t1", "a_o1"), "y2": ("t2", "a_o2")}
"""Headers that some write over targets, which are typed, and others over outputs, which are computed."""
_HEADERS = tuple(
    (re.compile(pattern), quantity)
    for pattern, quantity in (
        (r"(?:t|target)(\d+)", r"t\1"),
        (r"(?:i|x|in|input)(\d+)", r"i\1"),
        (r"(?:w|weight)(\d+)", r"w\1"),
        (r"(?:h|neth|hnet|inh|zh)(\d+)", r"h\1"),
        (r"(?:ah|outh|hout|aouth|sh|acth|a_h)(\d+)", r"a_h\1"),
        (r"(?:o|neto|onet|ino|zo)(\d+)", r"o\1"),
        (r"y([12])", r"y\1"),
        (r"(?:ao|outo|oout|aouto|so|acto|a0|y|out)(\d+)", r"a_o\1"),
        (r"(?:e|error|err|loss)([12])", r"E\1"),
        (r"(?:e|error|err|loss)(?:t|tot|total)|(?:total|tot)(?:e|error|err|loss)|etota?l?", "E_total"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?dw(\d+)", r"dE_dw\1"),
        (r"(?:grad|gradient)w?(\d+)", r"dE_dw\1"),
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
    update_rows: int = 0
    """1 if a row of updates follows the complete ones, of which no forward pass is computed."""
    learning_rate: Address | None = None
    has_rate_column: bool = False
    """Whether η has a column of its own: each update then reads it from a row of the table."""
    refusal: str | None = None
    """Why it can't be held against the class's network, if it can't."""

    @property
    def last_row(self) -> int:
        """Return the last complete row."""
        return self.first_row + self.row_count - 1

    @property
    def rows(self) -> range:
        """Return the rows of numbers."""
        return range(self.first_row, self.last_row + 1 + self.update_rows)

    @property
    def complete_rows(self) -> range:
        """Return the rows that have a forward pass."""
        return range(self.first_row, self.last_row + 1)

    @property
    def cells(self) -> Rectangle:
        """Return the cells between the table's columns and rows."""
        return Rectangle(self.rows[0], min(self.columns.values()), self.rows[-1], max(self.columns.values()))

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


@lru_cache(maxsize=4096)
def parse_header(text: str) -> str | None:
    """Return the name of the quantity that a header means, or None; w9 or h3 are quantities of other networks.

    Letters for ∂ vary (∂ 𝜕 δ ð d), as do capitals, blanks, underscores, hyphens and brackets around arguments.
    """
    if len(text) > 40:
        return None
    plain = unicodedata.normalize("NFKC", text.translate(_LOOKALIKES)).translate(_LOOKALIKES).casefold()
    plain = re.sub(r"\(.*?\)$", lambda m: m.group() if "w" in m.group() or "h" in m.group() else "", plain)
    squeezed = re.sub(r"[\s_\-.*(){}\[\]]", "", plain)
    matches = ((pattern.fullmatch(squeezed), quantity) for pattern, quantity in _HEADERS)
    return next((match.expand(quantity) for match, quantity in matches if match), None)


def find_tables(formulas: Formulas) -> tuple[list[ForeignTable], NearestHeader | None]:
    """Find all tables of all sheets, hidden ones too, and the row that looks most like a header."""
    tables: list[ForeignTable] = []
    nearest: NearestHeader | None = None
    for sheet in formulas.workbook.sheets.values():
        for row, headers in sorted(_find_headers(sheet).items()):
            if nearest is None or len(headers) > nearest.recognised:
                nearest = NearestHeader(sheet.name, row, len(headers))
            found = (_find_table(formulas, sheet, row, columns) for columns in _split_headers(headers))
            tables += [table for table in found if _is_training(formulas, table)]
    return tables, nearest


def _find_headers(sheet: Sheet) -> dict[int, list[tuple[int, str]]]:
    rows: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for (row, column), text in sheet.texts.items():
        quantity = parse_header(text)
        if quantity in _AMBIGUOUS:
            below = (sheet.columns[column].get(r) for r in range(row + 1, row + 4))
            first = next((cell for cell in below if cell is not None), None)
            quantity = _AMBIGUOUS[quantity][first is not None and first.formula is not None]
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
    return len(_WEIGHTS & columns.keys()) >= _MIN_WEIGHTS and len(columns) >= _MIN_COLUMNS


def _is_training(formulas: Formulas, table: ForeignTable) -> bool:
    """Return whether a table has gradients, or updates; a forward pass alone is not the exercise."""
    return len(_GRADIENTS & table.columns.keys()) >= _MIN_WEIGHTS or _has_updates(formulas, table, typed=False)


def _find_table(formulas: Formulas, sheet: Sheet, header_row: int, columns: dict[str, int]) -> ForeignTable:
    computed = [columns[quantity] for quantity in _COMPUTED if quantity in columns]
    below = range(header_row + 1, header_row + 4)
    first = next((row for row in below if _is_complete(sheet, row, computed)), None)
    if first is None:
        reason = "the rows below the header hold no formulas: there is nothing to check"
        return ForeignTable(sheet.name, header_row, columns, header_row + 1, 0, refusal=reason)
    row = first
    while _is_complete(sheet, row + 1, computed):
        row += 1
    weights = (sheet.columns.get(columns[weight], {}).get(row + 1) for weight in _WEIGHTS & columns.keys())
    updates = sum(cell is not None and cell.formula is not None for cell in weights)
    table = ForeignTable(sheet.name, header_row, columns, first, row - first + 1, int(updates >= _MIN_WEIGHTS))
    rate, is_column = _find_learning_rate(formulas, table)
    table = replace(table, learning_rate=rate, has_rate_column=is_column)
    return replace(table, refusal=_find_refusal(formulas, table))


def _is_complete(sheet: Sheet, row: int, computed: list[int]) -> bool:
    cells = (sheet.columns.get(column, {}).get(row) for column in computed)
    return sum(cell is not None and is_numeric(cell) for cell in cells) * 2 > len(computed)


def is_numeric(cell: Cell) -> bool:
    """Return whether a cell holds a formula or a number, one that is stored as a text too."""
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    return cell.formula is not None or is_number or read_number_as_text(cell.value) is not None


def _find_refusal(formulas: Formulas, table: ForeignTable) -> str | None:
    """Say why a table is not the class's: its forward pass, gradients and updates have to be there."""
    columns = table.columns
    others = [quantity for quantity in columns if quantity not in QUANTITIES]
    if others:
        return f"the network is not the exercise's 2-2-2: it has {', '.join(others)}"
    absent = [n.activation for n in _NEURONS if not {n.name, n.activation} & columns.keys()]
    if absent:
        return f"the network is not the exercise's 2-2-2, or a header says something else: no column is {absent[0]}"
    for what, names in (("weights", _WEIGHTS), ("gradients", _GRADIENTS)):
        if len(names & columns.keys()) < _MIN_OF_CLASS:
            absent = sorted(names - columns.keys())
            return f"the network is not the exercise's 2-2-2, or {what} have other headers: no column is {absent[0]}"
    if _changes_samples(formulas.workbook, table):
        return "inputs or targets change from row to row: it trains with several samples, which is not the exercise"
    if len(table.rows) > 1 and not _has_updates(formulas, table, typed=True):
        return "no weight is computed from the row above it: there are no updates to check"
    return None


def _changes_samples(workbook: ForeignWorkbook, table: ForeignTable) -> bool:
    """Return whether an input or a target is typed anew in many rows; in one or two it is a slip."""
    for constant in (q for q in CLASS.constants if q in table.columns):
        cells = [workbook.cell(table.address(constant, row)) for row in table.rows]
        typed = [c.value for c in cells if c is not None and c.formula is None and isinstance(c.value, int | float)]
        # Filling down leaves rounding noise.
        if sum(not math.isclose(value, typed[0], rel_tol=1e-9) for value in typed) * 4 > table.row_count:
            return True
    return False


def _has_updates(formulas: Formulas, table: ForeignTable, *, typed: bool) -> bool:
    """Return whether a weight of the second row reads itself from the first, or, with `typed`, is a number."""
    for weight in _WEIGHTS & table.columns.keys() if len(table.rows) > 1 else ():
        address, above = (table.address(weight, table.first_row + rows) for rows in (1, 0))
        cell = formulas.workbook.cell(address)
        is_typed = typed and cell is not None and cell.formula is None
        if is_typed or any(target == above for _, target in formulas.targets(address)):
            return True
    return False


def _find_learning_rate(formulas: Formulas, table: ForeignTable) -> tuple[Address | None, bool]:
    """Find the cell outside the table that most updates read, and whether each row reads one of its own.

    A reference counts by what it points to in the first update rows, so that one that is not anchored still counts.
    """
    votes = Counter[Address]()
    for address in _find_updates(table):
        for reference, target in formulas.targets(address):
            inside = target.sheet == table.sheet and target.row >= table.first_row
            if not (inside and target.column in table.columns.values()):
                votes[target] += 3 if reference.row_fixed else 1
    rate, count = next(iter(votes.most_common(1)), (None, 0))
    if rate is None or count < 2:  # a gradient in a helper column is read by its own weight alone
        return None, False
    is_column = rate.sheet == table.sheet and rate.row in table.rows and rate._replace(row=rate.row + 1) in votes
    return rate, is_column


def _find_updates(table: ForeignTable) -> Iterator[Address]:
    for weight in (w for w in CLASS.network.weights if w in table.columns):
        for row in (table.first_row + 1, table.first_row + 2):
            yield table.address(weight, row)
