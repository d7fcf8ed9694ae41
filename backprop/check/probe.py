"""A table's forward pass computed with chosen numbers, to see what it is made of."""

from collections import Counter
from collections.abc import Hashable, Mapping

import numpy as np

from backprop.check.formulas import UnreadableError
from backprop.check.functions import Number
from backprop.check.quantities import Computed, Quantity, TableCells
from backprop.check.run import RightRun, agree
from backprop.check.tables import BIASES, CLASS

CLASS_RUN = RightRun(CLASS.network)
_WEIGHTS = CLASS.network.weights
_MAX_ROWS_READ = 21


class Probe:
    """Compute a table's forward pass with chosen numbers, to see what it is made of."""

    def __init__(self, cells: TableCells) -> None:
        self.cells, self.table = cells, cells.table
        self._rows: dict[str, int | None] = {}

    def compute(self, quantity: str, chosen: Mapping[str, Number] | None = None) -> Computed | None:
        """Compute the formula that most rows have; a slip in one row must not rename the network."""
        row = self._find_row(quantity)
        return None if row is None else self._try(quantity, row, chosen or {})

    def number(self, quantity: str, chosen: Mapping[str, Number]) -> Number | None:
        """Return only the number that a formula gives."""
        computed = self.compute(quantity, chosen)
        return None if computed is None else computed.number

    def _try(self, quantity: str, row: int, chosen: Mapping[str, Number]) -> Computed | None:
        def value(place: Quantity) -> Number:
            if place.name in chosen:
                return chosen[place.name]
            try:
                return CLASS_RUN.value(place.name, place.rows)
            except KeyError:  # a bias
                return bias_value(place.name) if place.name in BIASES else 0.5

        try:
            return self.cells.compute(quantity, row, value)
        except (UnreadableError, RecursionError):
            return None

    def _find_row(self, quantity: str) -> int | None:
        if quantity not in self._rows:
            self._rows[quantity] = self._find_common_row(quantity) if quantity in self.table.columns else None
        return self._rows[quantity]

    def _find_common_row(self, quantity: str) -> int | None:
        seen: Counter[Hashable] = Counter()
        rows: dict[Hashable, int] = {}
        start = int(quantity in _WEIGHTS)
        for row in self.table.rows[start : start + _MAX_ROWS_READ]:
            cell = self.cells.cell(quantity, row)
            if cell is None or cell.formula is None:
                continue
            try:
                key = self.cells.key(quantity, row)
            except (UnreadableError, RecursionError):
                continue
            if key not in rows and self._try(quantity, row, {}) is None:
                continue
            rows.setdefault(key, row)
            seen[key] += 1
        return rows[seen.most_common(1)[0][0]] if seen else None


def bias_value(name: str) -> Number:
    """Return the numbers that stand for a bias."""
    return CLASS_RUN.value("t1") * (2 + BIASES.index(name))


def read_parabola(probe: Probe, quantity: str, variable: str) -> tuple[Number, Number] | None:
    """Return factor and vertex of factor · (vertex - variable)² + rest."""
    below, middle, above = (probe.number(quantity, {variable: value}) for value in (-1.0, 0.0, 1.0))
    if below is None or middle is None or above is None:
        return None
    factor = (np.add(above, below) - 2 * np.asarray(middle)) / 2
    return None if np.any(factor == 0) else (factor, np.subtract(below, above) / (4 * factor))


def as_constant(number: Number) -> float:
    """Return the number that is the same at all points, rounded as it was typed; NaN where it differs."""
    first = float(np.ravel(number)[0])
    return float(f"{first:.12g}") if agree(number, first) else float("nan")
