"""The numerical impact of a mistake: the table's own run, simulated right and wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backprop.check.evaluation import Value
from backprop.check.expected import ExpectedTable
from backprop.check.findings import Effect
from backprop.check.formulas import UnreadableError
from backprop.check.functions import Floats
from backprop.check.quantities import Quantity, TableCells
from backprop.check.run import compile_run
from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_variable

_MAX_ROWS, _MAX_SHOWN = 2_000, 34


@dataclass(frozen=True)
class Impact:
    """Measure how far wrong formulas are from the table's right run."""

    cells: TableCells
    expected: ExpectedTable

    @cached_property
    def _start(self) -> Mapping[str, float] | None:
        """Return η and the numbers of the table's first row, if it has them all."""
        derivation, network = self.expected.derivation, self.expected.network
        values = {
            name: self.expected.numbers.get(name, self.cells.number(name, self.cells.table.first_row))
            for name in (*derivation.constants, *network.parameters)
        }
        values[LEARNING_RATE] = self.expected.learning_rate.value
        known = {name: value for name, value in values.items() if value is not None}
        return known if len(known) == len(values) else None

    def _run(
        self, change: Callable[[str, int, Mapping[str, float]], float] | None = None, of: str = ""
    ) -> Floats | None:
        """Compute the columns row by row; `change` gives another number for the gradient `of`."""
        start, rows = self._start, min(self.cells.table.row_count, _MAX_ROWS)
        if start is None:
            return None
        derivation, step = compile_run(self.expected.network)
        network, factor = self.expected.network, self.expected.convention.factor
        factors = np.array([factor(network.kind(name)) for name in derivation.columns])
        eta = start[LEARNING_RATE]
        gradient_factor = factor(network.kind(derivation.gradients[0].name))
        constants = [start[name] for name in derivation.constants]
        parameters = [start[name] for name in network.parameters]
        values = np.full((rows, len(derivation.columns)), np.nan)
        with np.errstate(all="ignore"):
            for row in range(rows):
                numbers, following = step(eta * gradient_factor, constants, parameters)
                values[row] = np.array(numbers, dtype=float) * factors
                if not np.isfinite(values[row]).all():
                    values[row] = np.nan
                    break
                if change is not None:
                    named = dict(zip(derivation.columns, values[row], strict=True))
                    place = network.parameters.index(gradient_variable(of) or "")
                    following[place] = parameters[place] - eta * change(of, row, named)
                parameters = following
        return values

    @cached_property
    def _right(self) -> Floats | None:
        return self._run()

    def measure(self, quantity: str, rows: Sequence[int]) -> Effect | None:
        """Return what the formulas in some rows of a quantity do to it and to E_total; None without a right run."""
        if self._right is None or quantity not in self.expected.derivation.columns:
            return None
        errors, mistaken = self._find_relative_errors(quantity, rows), self._run_mistaken(quantity, rows)
        place = self.expected.derivation.columns.index(TOTAL_ERROR)
        right = self._right[:, place]
        shifts = None if mistaken is None else np.abs(mistaken[:, place] - right)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = {} if shifts is None else dict(enumerate(shifts / right))
        worst = None if errors is None else max(errors.values(), default=0.0)
        return Effect(
            worst if worst is not None and np.isfinite(worst) else None,
            float(np.nanmax(shifts)) if shifts is not None and np.isfinite(shifts).any() else None,
            _thin_out(errors or {}),
            _thin_out(shares),
        )

    def _find_relative_errors(self, quantity: str, rows: Sequence[int]) -> Mapping[int, float] | None:
        """Return |found - right| / |right| by row of the right run, or None if it can't be computed."""
        assert self._right is not None
        place, found = self.expected.derivation.columns.index(quantity), dict[int, float]()
        for row in rows[:_MAX_ROWS]:
            index = row - self.cells.table.first_row
            if index >= len(self._right) or not np.isfinite(self._right[index]).all():
                break
            try:
                computed = self._compute(quantity, row, lambda q, i=index: self._look_up(q, i))  # type: ignore[misc]
            except (UnreadableError, KeyError, IndexError):
                return None
            right = self._right[index, place]
            if right != 0:
                found[index] = float(abs(computed - right) / abs(right))
        return found

    def _run_mistaken(self, quantity: str, rows: Sequence[int]) -> Floats | None:
        """Run the table with a gradient's mistake, or return None if it can't be computed."""
        if gradient_variable(quantity) not in self.expected.network.parameters:
            return None
        wrong = frozenset(rows)

        def change(name: str, index: int, numbers: Mapping[str, float]) -> float:
            row = self.cells.table.first_row + index
            if row not in wrong:
                return numbers[name]

            def value(place: Quantity) -> Value:
                if place.rows:
                    raise KeyError  # what the wrong run had in other rows is not kept
                return numbers[place.name] if place.name in numbers else self._start_value(place.name)

            return self._compute(name, row, value)

        try:
            return self._run(change, quantity)
        except (UnreadableError, KeyError):
            return None

    def _compute(self, quantity: str, row: int, value: Callable[[Quantity], Value]) -> float:
        return float(self.cells.compute(quantity, row, value).number)

    def _start_value(self, name: str) -> float:
        return (self._start or {})[name]

    def _look_up(self, place: Quantity, index: int) -> Value:
        columns = self.expected.derivation.columns
        if place.name not in columns:
            return self._start_value(place.name)
        row = index + place.rows
        if self._right is None or row < 0:
            raise IndexError
        return float(self._right[row, columns.index(place.name)])


def _thin_out(curve: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    """Return the points of a curve that a small chart needs."""
    points = [(place, float(value)) for place, value in curve.items() if np.isfinite(value)]
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MAX_SHOWN)).astype(int))
    return tuple(points[place] for place in chosen)
