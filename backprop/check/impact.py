"""The numerical impact of a mistake: the table's own run, simulated right and wrong."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from backprop.check.expected import ExpectedTable
from backprop.check.expressions import Symbol, quantity_of, rows_of
from backprop.check.references import Resolver
from backprop.errors import BackpropError
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Preset
from backprop.simulate import Trace, simulate

_MAX_ROWS = 10_000


@dataclass(frozen=True)
class Impact:
    """Measure how far wrong formulas are from the table's right run."""

    resolver: Resolver
    expected: ExpectedTable

    @cached_property
    def _preset(self) -> Preset | None:
        """Return the table's network with the numbers of its first row, if it has them all."""
        network, eta = self.expected.derivation.network, self.expected.learning_rate.value
        values = {
            name: self.expected.numbers.get(sp.Symbol(name), self._start_value(name))
            for name in (*network.inputs, *network.targets, *network.weights, *network.biases)
        }
        if eta is None or None in values.values():
            return None
        return Preset("sheet", "", network, {name: float(value) for name, value in values.items()}, eta)

    def _start_value(self, name: str) -> float | None:
        return self.resolver.number(sp.Symbol(name), self.resolver.table.first_row)

    @cached_property
    def _trace(self) -> Trace | None:
        """Simulate the table's run from its own starting values, if it has them all."""
        preset, rows = self._preset, min(self.resolver.table.row_count, _MAX_ROWS)
        if preset is None:
            return None
        try:
            return simulate(self.expected.derivation, preset, preset.learning_rate, rows)
        except BackpropError:
            return None

    def max_relative_error(self, quantity: str, found: Any, rows: Sequence[int]) -> float | None:
        """Return the largest |found - right| / |right| over rows of the right run, or None if it can't be computed."""
        symbols = sorted(found.free_symbols, key=str)
        if self._trace is None or any(rows_of(symbol) not in (0, -1) for symbol in symbols):
            return None
        function = sp.lambdify(symbols, found, modules="math")
        worst = 0.0
        for index in (row - self.resolver.table.first_row for row in rows):
            if index >= len(self._trace.complete):
                break
            right = self._trace.column(quantity)[index]
            try:
                wrong = float(function(*(self._value(self._trace, symbol, index) for symbol in symbols)))
            except (ArithmeticError, ValueError, TypeError):
                return None
            if right != 0 and math.isfinite(wrong):
                worst = max(worst, float(abs(wrong - right) / abs(right)))
        return worst if np.isfinite(worst) else None

    def max_total_error_shift(self, quantity: str, found: Any) -> float | None:
        """Return by how much a gradient's mistake moves E_total over the run, or None if it can't be computed."""
        derivation = self.expected.derivation
        gradients = {gradient.name for gradient in derivation.gradients}
        # A gradient that reads other gradients could come before them.
        known = {*derivation.columns, *derivation.constants} - gradients
        is_known = quantity in gradients and {symbol.name for symbol in found.free_symbols} <= known
        if self._trace is None or self._preset is None or not is_known:
            return None
        mistaken = tuple(replace(g, expression=found) if g.name == quantity else g for g in derivation.gradients)
        changed = replace(derivation, gradients=mistaken)
        try:
            wrong = simulate(changed, self._preset, self._trace.learning_rate, len(self._trace.values))
        except (ArithmeticError, ValueError, TypeError):  # 0 to a negative power, a root of a negative number …
            return None
        shift = np.abs(wrong.column(TOTAL_ERROR) - self._trace.column(TOTAL_ERROR))
        return float(np.nanmax(shift)) if np.isfinite(shift).any() else None

    def _value(self, trace: Trace, symbol: Symbol, index: int) -> float:
        quantity = quantity_of(symbol)
        if quantity == LEARNING_RATE:
            return trace.learning_rate
        if quantity in self.expected.derivation.fixed_biases and self._preset is not None:
            return self._preset.values[quantity]
        return float(trace.column(quantity)[index + rows_of(symbol)])
