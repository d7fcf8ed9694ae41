"""What a mistake does to the numbers: the table's own run, simulated right and wrong."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from backprop.check.model import Model
from backprop.check.parser import UnreadableError
from backprop.check.resolving import BEFORE, Resolver, address, as_sympy
from backprop.errors import BackpropError
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Preset
from backprop.simulate import Trace, simulate

_MAX_ROWS = 10_000


class Effects:
    """Numbers of one table: its learning rate, its right run, and how far wrong formulas are from it."""

    def __init__(self, resolver: Resolver, model: Model) -> None:
        self._resolver, self._table, self._model = resolver, resolver.table, model
        self.learning_rate = self._learning_rate_value()
        self._trace: Trace | None = None

    def _learning_rate_value(self) -> float | None:
        resolver = self._resolver
        if resolver.learning_rate is None:
            return self._typed_learning_rate()
        sheet, place = resolver.learning_rate
        cell = resolver.book.sheets.get(sheet, {}).get(place)
        value = None if cell is None else cell.shown if cell.is_formula else cell.content
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def _typed_learning_rate(self) -> float | None:
        """Without a cell for η, take the number that the first weight's update multiplies its gradient with."""
        resolver, table = self._resolver, self._table
        for weight in (f"w{n}" for n in range(1, 9)):
            cell = resolver.cell(weight, table.first_row + 1) if weight in table.columns else None
            if cell is None or not cell.is_formula or table.rows < 2:
                continue
            try:
                update = as_sympy(resolver.resolve(weight, table.first_row + 1))
            except UnreadableError:
                continue
            factor = sp.expand(update).coeff(sp.Symbol(f"dE_d{weight}{BEFORE}"))
            if factor.is_number and factor != 0:
                return abs(float(factor))
        return None

    @property
    def learning_rate_text(self) -> str:
        """Write η as a formula would: an anchored cell, or the number."""
        resolver = self._resolver
        if resolver.learning_rate is None:
            return "η" if self.learning_rate is None else repr(self.learning_rate)
        sheet, place = resolver.learning_rate
        letters = address(place).rstrip("0123456789")
        anchored = f"${letters}${place[0]}"
        return anchored if sheet == self._table.sheet else f"'{sheet}'!{anchored}"

    def trace(self) -> Trace | None:
        """Simulate the table's run from its own starting values, if it has them all."""
        preset = self._preset
        if self._trace is None and preset is not None:
            try:
                rows = min(self._table.rows, _MAX_ROWS)
                self._trace = simulate(self._model.derivation, preset, preset.learning_rate, rows)
            except BackpropError:
                return None
        return self._trace

    @cached_property
    def _preset(self) -> Preset | None:
        """Give the table's network with the numbers of its first row, if it has them all."""
        network, values = self._model.derivation.network, {}
        for name in (*network.inputs, *network.targets, *network.weights, *network.biases):
            value = self._model.numbers.get(sp.Symbol(name), self._first_value(name))
            if value is None:
                return None
            values[name] = float(value)
        return None if self.learning_rate is None else Preset("sheet", "", network, values, self.learning_rate)

    def _first_value(self, name: str) -> float | None:
        cell = self._resolver.cell(name, self._table.first_row) if name in self._table.columns else None
        value = None if cell is None else cell.shown if cell.is_formula else cell.content
        return value if isinstance(value, int | float) else None

    def relative_error(self, quantity: str, found: Any, rows: Sequence[int]) -> float | None:
        """Return the largest |found - right| / |right| over rows of the right run; None where it can't be told."""
        trace = self.trace()
        if trace is None or any("@" in symbol.name for symbol in found.free_symbols):
            return None
        symbols = sorted(found.free_symbols, key=str)
        function = sp.lambdify(symbols, found, modules="math")
        worst = 0.0
        for row in rows:
            index = row - self._table.first_row
            if index >= len(trace.complete):
                break
            right = trace.column(quantity)[index]
            try:
                wrong = float(function(*(self._value(trace, symbol.name, index) for symbol in symbols)))
            except (ArithmeticError, ValueError, TypeError):
                return None
            if right != 0 and math.isfinite(wrong):
                worst = max(worst, float(abs(wrong - right) / abs(right)))
        return worst if np.isfinite(worst) else None

    def total_error_shift(self, quantity: str, found: Any) -> float | None:
        """Return by how much the mistake moves E_total over the table's run, at most; None where it can't be told."""
        right, derivation = self.trace(), self._model.derivation
        names = {symbol.name for symbol in found.free_symbols}
        slopes = {gradient.name for gradient in derivation.gradients}
        # A gradient that reads other gradients could come before them.
        known = {*derivation.columns, *derivation.constants} - slopes
        if right is None or self._preset is None or quantity not in slopes or not names <= known:
            return None
        gradients = tuple(replace(g, expression=found) if g.name == quantity else g for g in derivation.gradients)
        changed = replace(derivation, gradients=gradients)
        try:
            wrong = simulate(changed, self._preset, right.learning_rate, len(right.values))
        except (ArithmeticError, ValueError, TypeError):  # 0 to a negative power, a root of a negative number …
            return None
        shift = np.abs(wrong.column(TOTAL_ERROR) - right.column(TOTAL_ERROR))
        return float(np.nanmax(shift)) if np.isfinite(shift).any() else None

    def _value(self, trace: Trace, name: str, index: int) -> float:
        if name == LEARNING_RATE:
            return trace.learning_rate
        column, before = name.removesuffix(BEFORE), name.endswith(BEFORE)
        if column in self._model.derivation.fixed_biases and self._preset is not None:
            return self._preset.values[column]
        return float(trace.column(column)[index - 1 if before else index])
