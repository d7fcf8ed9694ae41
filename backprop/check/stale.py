"""Stored results that are not those of the formulas: the sheet was changed and not computed again."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from backprop.check.cells import Address
from backprop.check.evaluation import Evaluation, Value
from backprop.check.findings import STALE, Finding, format_cells
from backprop.check.formulas import UnreadableError, calls
from backprop.check.functions import Floats
from backprop.check.patterns import Pattern
from backprop.check.quantities import TableCells
from backprop.check.tables import QUANTITIES

_FAR = 100_000_000
"""The row in which formulas are computed for all rows at once: what is near it are relative references."""
_READ_ROWS = frozenset({"ROW", "INDEX", "OFFSET", "SINGLE", "COLUMN"})


def find_stale_results(cells: TableCells) -> Iterator[Finding]:
    """Yield a finding per quantity whose stored results are not those of its formulas."""
    explanation = "the stored results are not those of the formulas: let Excel recalculate and save"
    check = _StaleCheck(cells)
    for quantity in (q for q in QUANTITIES if q in cells.table.columns):
        rows = sorted(check.find_rows(quantity))
        if rows:
            yield Finding(STALE, quantity, format_cells(cells.table.letters(quantity), rows), None, None, explanation)


class _StaleCheck:
    """Compute formulas with the results that their operands show, and compare with the results that they show."""

    def __init__(self, cells: TableCells) -> None:
        self._cells, self._table = cells, cells.table
        self._columns: dict[tuple[str, int], Floats] = {}

    def find_rows(self, quantity: str) -> Iterator[int]:
        """Yield the rows of stale results."""
        rows: dict[Pattern, list[int]] = defaultdict(list)
        column = self._cells.column(quantity)
        for row in self._table.rows:
            cell = column.get(row)
            if cell is not None and cell.formula is not None and cell.array is None and _is_number(cell.value):
                rows[cell.formula].append(row)
        for group in rows.values():
            places = np.array(group)
            shown = self._shown(self._table.sheet, self._table.columns[quantity], places)
            computed = self._compute(quantity, places)
            if computed is not None:
                differs = np.abs(computed - shown) > np.maximum(1e-6 * np.abs(shown), 1e-12)
                yield from (int(row) for row in places[differs & np.isfinite(computed)])

    def _compute(self, quantity: str, rows: Floats) -> Floats | None:
        address = self._table.address(quantity, int(rows[0]))
        try:
            tree = self._cells.formulas.tree(address)
            if tree is None or calls(tree, _READ_ROWS):
                return None
            origin = address._replace(row=_FAR)
            computed = Evaluation(origin, lambda target: self._read(target, rows)).compute(tree)
        except UnreadableError:
            return None
        return np.broadcast_to(np.asarray(computed, dtype=float), rows.shape)

    def _read(self, target: Address, rows: Floats) -> Value:
        if target.row > _FAR // 2:
            return self._shown(target.sheet, target.column, rows + (target.row - _FAR))
        return self._cells.formulas.workbook.value(target)

    def _shown(self, sheet: str, column: int, rows: Floats) -> Floats:
        """Return the numbers that cells show: 0 for empty ones, NaN for texts."""
        if (sheet, column) not in self._columns:
            self._columns[sheet, column] = self._collect(sheet, column)
        numbers = self._columns[sheet, column]
        inside = (rows > 0) & (rows < len(numbers))
        return np.where(inside, numbers[np.where(inside, rows, 0)], 0.0)

    def _collect(self, sheet: str, column: int) -> Floats:
        found = self._cells.formulas.workbook.sheets.get(sheet)
        cells = {} if found is None else found.columns.get(column, {})
        numbers = np.zeros(max(cells, default=0) + 1)
        for row, cell in cells.items():
            numbers[row] = cell.value if _is_number(cell.value) else np.nan
        return numbers


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
