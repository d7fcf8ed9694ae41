"""A cell's formula compared with the derivation: put into a right run at random points, it has to give the same."""

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from backprop.check.cells import Address
from backprop.check.expected import derive_expected
from backprop.check.explanation import Mistaken, explain
from backprop.check.findings import FORMULA, TYPED, UNREAD
from backprop.check.formulas import NoNumberError, UnreadableError, calls
from backprop.check.functions import Number
from backprop.check.patterns import Pattern
from backprop.check.quantities import Computed, Quantity, TableCells
from backprop.check.run import POINTS, RightRun, agree
from backprop.network import LEARNING_RATE, gradient_name
from backprop.notation import Shifted

_POW = frozenset({"POW"})
_UNUSED = np.linspace(0.31, 0.37, POINTS)
"""Stands for a column that the network does not use, such as a bias that no neuron adds."""


class Mistake(NamedTuple):
    """What is wrong with a cell, before cells with the same mistake are joined."""

    kind: str
    explanation: str
    subject: str | None = None
    """What an unread cell lacks, where that is another quantity."""


class Comparison:
    """Compare the formulas of one table."""

    def __init__(self, cells: TableCells) -> None:
        self.cells, self.table = cells, cells.table
        self.expected = derive_expected(cells)
        self.constants, self.parameters = self.expected.derivation.constants, self.expected.network.parameters
        self.outside: set[Address] = set()
        """Cells outside the table that its formulas read."""
        self.calls_pow = False
        self._missing: dict[str, list[str]] = {}
        self._compared: dict[tuple[str, Hashable], Mistake | None] = {}
        self._explained: dict[tuple[str, Pattern | None], str] = {}
        self._runs: dict[frozenset[str], RightRun] = {}
        if self.table.learning_rate is not None:
            self.outside |= {self.table.learning_rate, cells.formulas.follow_copies(self.table.learning_rate)}

    @cached_property
    def source_of_rate(self) -> Address | None:
        """The cell in which η is typed, if the updates read a copy of it."""
        rate = self.table.learning_rate
        return None if rate is None else self.cells.formulas.follow_copies(rate)

    def check_formula(self, quantity: str, row: int) -> Mistake | None:
        """Compare a formula with what the derivation expects, once for all rows in which it computes the same."""
        missing = self._find_missing(quantity)
        if missing:
            return Mistake(UNREAD, f"no column has a header that says {missing[0]}", missing[0])
        if self.run.has(quantity):
            try:
                key = quantity, self.cells.key(quantity, row)
                if key not in self._compared:
                    self._compared[key] = self._compare(quantity, row)
                return self._compared[key]
            except NoNumberError as error:
                return Mistake(FORMULA, str(error))
            except (UnreadableError, RecursionError) as error:
                return Mistake(UNREAD, str(error) or "the formula is nested too deeply")
        name = _write(Quantity(quantity))
        return Mistake(UNREAD, f"{name} belongs to no bias that a net input reads from a column")

    @property
    def run(self) -> RightRun:
        """The right run at random points."""
        return self.expected.run

    def repeats(self, quantity: str, row: int) -> bool:
        """Return whether a formula gives a constant's value in every run."""
        try:
            return agree(self._compute(quantity, row, self.run).number, self.run.value(quantity))
        except UnreadableError:
            return False

    def right_number(self, quantity: str, row: int) -> float | None:
        """Compute what a cell should show with the sheet's own numbers around it; None if one of them is missing."""
        if not self.run.has(quantity):
            return None
        expression = self.expected.place(self.expected.expression(quantity), self.table.columns)
        numbers = {}
        for symbol in expression.free_symbols:
            name, rows = (symbol.quantity, symbol.rows) if isinstance(symbol, Shifted) else (symbol.name, 0)
            fallback = self.expected.learning_rate.value if name == LEARNING_RATE else self.expected.numbers.get(name)
            number = self.cells.number(name, row + rows)
            numbers[symbol] = fallback if number is None else number
        if None in numbers.values():
            return None
        try:
            return float(sp.lambdify(list(numbers), expression, "math")(*numbers.values()))
        except (ArithmeticError, ValueError, TypeError):
            return None

    def _find_missing(self, quantity: str) -> list[str]:
        """Return the constants and parameters that a quantity needs and that have no column: there is no verdict."""
        if quantity not in self._missing:
            self._missing[quantity] = []  # while those that it reads are looked at
            expression = self.expected.expression(quantity) if self.run.has(quantity) else sp.Integer(0)
            names = {s.quantity if isinstance(s, Shifted) else s.name for s in expression.free_symbols}
            names -= {LEARNING_RATE, *self.table.columns, *self.expected.numbers}
            base = names.intersection((*self.constants, *self.parameters))
            self._missing[quantity] = sorted(base.union(*map(self._find_missing, names - base)))
        return self._missing[quantity]

    def _compute(self, quantity: str, row: int, run: RightRun) -> Computed:
        def value(place: Quantity) -> Number:
            return run.value(place.name, place.rows) if run.has(place.name) else _UNUSED

        return self.cells.compute(quantity, row, value)

    def _compare(self, quantity: str, row: int) -> Mistake | None:
        computed = self._compute(quantity, row, self.run)
        self.outside |= computed.outside
        tree = self.cells.formulas.tree(self.table.address(quantity, row))
        self.calls_pow |= tree is not None and calls(tree, _POW)
        if agree(computed.number, self.run.value(quantity)):
            return None
        typed = self._find_typed(quantity, row, computed)
        if typed is not None:
            return typed
        if quantity in self.parameters:
            return self._compare_update(quantity, row, computed)
        return self._explain(quantity, row, computed)

    def _find_typed(self, quantity: str, row: int, computed: Computed) -> Mistake | None:
        """Constants that a formula does not read may be typed into it: with their values, it is right."""
        read = {place.name for place in computed.reads}
        absent = frozenset(name for name in self._own if name not in read)
        if not self._agrees_with_own(quantity, row, absent):
            return None
        typed = [name for name in sorted(absent) if not self._agrees_with_own(quantity, row, absent - {name})]
        if typed == [LEARNING_RATE]:
            return Mistake(
                TYPED, "η has its value here, but is not read from its cell: it does not follow a change of η"
            )
        names = ", ".join("η" if name == LEARNING_RATE else name for name in typed)
        return Mistake(TYPED, f"the value of {names} is typed into the formula: it does not follow a change of {names}")

    @cached_property
    def _own(self) -> Mapping[str, float]:
        """The sheet's own inputs, targets, fixed biases and η."""
        own = {name: self.cells.number(name, self.table.first_row) for name in (*self.constants, LEARNING_RATE)}
        return {name: number for name, number in own.items() if number is not None}

    def _agrees_with_own(self, quantity: str, row: int, names: frozenset[str]) -> bool:
        """Return whether a formula is right where some constants have the sheet's own values, not random ones."""
        if not names:
            return False
        if names not in self._runs:
            constants = {**self.run.constants, **{name: self._own[name] for name in names}}
            self._runs[names] = RightRun(self.expected.network, self.expected.convention, constants)
        run = self._runs[names]
        try:
            return agree(self._compute(quantity, row, run).number, run.value(quantity))
        except UnreadableError:
            return False

    def _compare_update(self, quantity: str, row: int, computed: Computed) -> Mistake:
        """An update may have another cell or another number in η's place."""
        parameter, gradient = self.run.value(quantity, -1), self.run.value(gradient_name(quantity), -1)
        factor = (parameter - computed.number) / gradient
        eta, read = self.expected.learning_rate.value, {place.name for place in computed.reads}
        if LEARNING_RATE not in read:
            if agree(factor, factor[0]) and factor[0] != 0 and eta is not None and factor[0] != -eta:
                return Mistake(FORMULA, f"η is {factor[0]:.6g} here and {eta:g} elsewhere")
            for place in computed.reads - {Quantity(quantity, -1), Quantity(gradient_name(quantity), -1)}:
                if self.run.has(place.name) and agree(factor, self.run.value(place.name, place.rows)):
                    return Mistake(FORMULA, f"η is read from {_write(place)}: its cell is not anchored or not η")
            if self.table.learning_rate is not None:
                return Mistake(FORMULA, "η is not read from its cell: the reference is not anchored or not η")
        return self._explain(quantity, row, computed)

    def _explain(self, quantity: str, row: int, computed: Computed) -> Mistake:
        """Explain a formula once: it may compute something else in each row, as one that reads a fixed row does."""
        cell = self.cells.cell(quantity, row)
        key = quantity, None if cell is None else cell.formula
        if key not in self._explained:
            self._explained[key] = self._describe(quantity, computed)
        return Mistake(FORMULA, self._explained[key])

    def _describe(self, quantity: str, computed: Computed) -> str:
        reads = frozenset[Any](
            Shifted(place.name, place.rows) if place.rows else sp.Symbol(place.name) for place in computed.reads
        )
        found = np.broadcast_to(np.asarray(computed.number, dtype=float), (POINTS,))
        expression, read = self.expected.expression(quantity), {place.name for place in computed.reads}
        composed = self.expected.place(expression, {*read, *self.constants, *self.parameters})
        mistaken = Mistaken(quantity, expression, found, self.run.values, reads)
        return explain(mistaken, composed if composed != expression else None)


def _write(place: Quantity) -> str:
    return place.name.replace("dE_d", "∂E/∂")
