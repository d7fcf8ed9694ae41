"""A workbook's formulas as a graph: which cells each reads, and how steeply it depends on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np

from backprop.check.cells import Address, Cell, ForeignWorkbook
from backprop.check.evaluation import Evaluation, Value
from backprop.check.formulas import NoNumberError, Tree, UnreadableError, calls, find_references
from backprop.check.functions import Floats
from backprop.check.references import PLACE_DEPENDENT, Formulas, Scope, expand, find_origin, read_number_as_text

_STEP = 1e-20
"""The imaginary part that carries a derivative: too small to change a real part (complex-step differentiation)."""
_SAMPLES = np.random.default_rng(5).uniform(0.2, 0.9, (64, 12)) * np.repeat([[1.0, -1.0]], 6, axis=1).reshape(-1)
"""Numbers for what a formula reads: at half of the points positive, as a logarithm needs them."""


class Local(NamedTuple):
    """A formula's number at some points and its slopes there to cells that it reads directly."""

    value: Floats
    slopes: Mapping[Address, Floats]


class Shape(NamedTuple):
    """What a formula depends on, whatever the numbers are."""

    references: tuple[Address, ...]
    """Cells of which some change would change the result."""
    summands: tuple[Address, ...]
    """Those of them that are added as they are: their slope is 1 everywhere."""
    constants: Mapping[Address, float]
    """Slopes that are the same everywhere."""


class CircularError(UnreadableError):
    """Formulas that lead back to themselves; the message names one of the cells."""


@dataclass
class Graph:
    """The formula cells of a workbook, or some of them."""

    formulas: Formulas
    cells: Sequence[Address]
    _shapes: dict[Address, Shape] = field(init=False, default_factory=dict)
    _slopes: dict[object, Sequence[Floats]] = field(init=False, default_factory=dict)
    _actual: Scope = field(init=False)

    def __post_init__(self) -> None:
        self._actual = Scope(self.formulas, lambda _: None, runs_on=True)

    @property
    def workbook(self) -> ForeignWorkbook:
        """Return the workbook."""
        return self.formulas.workbook

    def is_formula(self, address: Address) -> bool:
        """Return whether a cell holds a formula that reads other cells."""
        cell = self.workbook.cell(address)
        return cell is not None and cell.formula is not None and bool(self.shape(address).references)

    def typed(self, address: Address) -> Value:
        """Return what is typed into a cell; a number that is stored as a text counts as the number."""
        cell = self.workbook.cell(address)
        if cell is None:
            return None
        number = read_number_as_text(cell.value)
        return cell.value if number is None else number

    def copied(self, address: Address) -> Address:
        """Return the cell whose content a cell repeats, itself if it is no copy."""
        seen = {address}
        while (following := self.formulas.copied(address)) is not None and following not in seen:
            seen.add(following)
            address = following
        return address

    def shape(self, address: Address) -> Shape:
        """Return what a cell's formula depends on; nothing where it has none or cannot be read."""
        if address not in self._shapes:
            try:
                self._shapes[address] = self._find_shape(address)
            except (UnreadableError, RecursionError):
                self._shapes[address] = Shape((), (), {})
        return self._shapes[address]

    def _find_shape(self, address: Address) -> Shape:
        cell, tree = self.workbook.cell(address), self.formulas.tree(address)
        if cell is None or tree is None:
            return Shape((), (), {})
        origin = find_origin(cell, address)
        inside = address.row - origin.row, address.column - origin.column
        references = self.read_by(tree, origin, cell.array is not None)
        key = cell.formula, inside, len(references)
        if key not in self._slopes:
            samples = {r: _SAMPLES[n % len(_SAMPLES)] for n, r in enumerate(references)}
            local = self.differentiate(address, lambda target: samples.get(target, self.typed(target)), references)
            self._slopes[key] = [local.slopes[reference] for reference in references]
        finite = [(r, s[np.isfinite(s)]) for r, s in zip(references, self._slopes[key], strict=True)]
        steep = [(r, s) for r, s in finite if s.size == 0 or np.any(s != 0)]
        constant = {r: float(s[0]) for r, s in steep if s.size > 1 and np.ptp(s) <= 1e-12 * abs(s[0])}
        summands = tuple(r for r, slope in constant.items() if abs(slope - 1) < 1e-12)
        return Shape(tuple(r for r, _ in steep), summands, constant)

    def read_by(self, formula: Tree, origin: Address, is_array: bool = False) -> Sequence[Address]:
        """Return the cells that a formula reads, whatever cell it stands in. Raises UnreadableError.

        Which ones INDEX and OFFSET read shows when they are computed.
        """
        if not calls(formula, PLACE_DEPENDENT):
            return list(dict.fromkeys(t for part in find_references(formula) for t in expand(part, origin)))
        reads: list[Address] = []

        def read(target: Address) -> Value:
            reads.append(target)
            value = self.typed(target)
            return value if isinstance(value, str) else float(_SAMPLES[len(reads) % len(_SAMPLES), 0])

        Evaluation(origin, read, self.actual, is_array).compute(formula)
        return list(dict.fromkeys(reads))

    def _prepare(self, address: Address) -> tuple[Tree, Cell, Address]:
        tree, cell = self.formulas.tree(address), self.workbook.cell(address)
        if tree is None or cell is None:
            raise NoNumberError("the cell holds no formula")
        return tree, cell, find_origin(cell, address)

    def actual(self, address: Address) -> Value:
        """Return what a cell shows with the sheet's own typed numbers. Raises UnreadableError."""
        cell = self.workbook.cell(address)
        if cell is not None and isinstance(cell.value, int | float):
            return cell.value
        return self._actual.value(address)

    def differentiate(
        self,
        address: Address,
        value: Callable[[Address], Value],
        variables: Sequence[Address],
        formula: Tree | None = None,
        is_array: bool = False,
    ) -> Local:
        """Compute a cell's formula, or another one in its place, and its slopes to what it reads directly.

        `value` gives numbers as arrays, one entry a point. NaN where there is no number. Raises UnreadableError.
        """
        tree, cell, origin = self._prepare(address) if formula is None else (formula, None, address)
        places, copies = {v: n + 1 for n, v in enumerate(variables)}, len(variables) + 1
        known: dict[Address, Value] = {}

        def read(target: Address) -> Value:
            if target not in known:
                number = value(target)
                if isinstance(number, np.ndarray):
                    number = np.tile(number.astype(complex), (copies, 1))
                    if target in places:
                        number[places[target]] += 1j * _STEP
                known[target] = number
            return known[target]

        inside = (address.row - origin.row, address.column - origin.column)
        is_array = is_array or (cell is not None and cell.array is not None)
        result = np.asarray(Evaluation(origin, read, self.actual, is_array).compute(tree, *inside))
        points = next((len(n[0]) for n in known.values() if isinstance(n, np.ndarray)), 1)
        table = np.broadcast_to(result, (copies, points))
        slopes = np.where(np.isfinite(np.real(table)), np.imag(table) / _STEP, np.nan)
        return Local(np.array(np.real(table[0])), {v: slopes[places[v]] for v in variables})

    @cached_property
    def order(self) -> Sequence[Address]:
        """The cells, each after those that it reads. Raises CircularError."""
        cells = set(self.cells)
        graph = {cell: [r for r in self.shape(cell).references if r in cells] for cell in self.cells}
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise CircularError(f"{error.args[1][0].a1} refers to itself through other cells") from error

    @cached_property
    def places(self) -> Mapping[Address, int]:
        """Where in that order a cell comes."""
        return {cell: place for place, cell in enumerate(self.order)}
