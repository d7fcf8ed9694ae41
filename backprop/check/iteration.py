"""One iteration of a training at random weights: each cell's number, its slopes, and the error's derivatives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from backprop.check.cells import Address
from backprop.check.evaluation import Value
from backprop.check.formulas import NoNumberError, UnreadableError
from backprop.check.functions import Floats
from backprop.check.graph import Formula, Graph, Local
from backprop.check.run import agree
from backprop.check.updates import Training

POINTS = 12


@dataclass
class Iteration:
    """The cells that compute an iteration's error and updates, where its weights are random numbers.

    What is typed stays as typed. Cells of earlier iterations are random too; a previous momentum counts as 0.
    """

    graph: Graph
    training: Training
    level: int
    targets: tuple[Address, ...]
    """What is to be computed besides the updates: the error, or cells that may be it."""
    replaced: Mapping[Address, Formula | Floats] = field(default_factory=dict)
    """Formulas or numbers that stand for those of some cells."""
    free: frozenset[Address] = frozenset()
    """Cells that are random besides the weights."""
    is_actual: bool = False
    """Whether weights and earlier iterations are the sheet's own numbers and not random."""
    unread: dict[Address, str] = field(init=False, default_factory=dict)
    """Cells that could not be computed, and why."""
    broken: dict[Address, str] = field(init=False, default_factory=dict)
    """Cells that have no number though all have that they read, and why."""
    partial: set[Address] = field(init=False, default_factory=set)
    """Cells of which that is true for some numbers only."""
    momentum: dict[Address, float] = field(init=False, default_factory=dict)
    """Cells that add a share of what they were an iteration earlier, and the share."""
    _known: dict[Address, Value] = field(init=False, default_factory=dict)
    _locals: dict[Address, Local] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.weights, self.updates = self.training.weights(self.level), self.training.updates(self.level)
        numbers = np.random.default_rng(3)
        self._varying = {*self.weights, *self.free}
        for weight in sorted(self._varying):
            drawn = numbers.uniform(0.2, 0.9, POINTS) * numbers.choice((-1.0, 1.0), POINTS)
            self._known[weight] = self._read_actual(weight) if self.is_actual else drawn
        self._numbers = numbers
        found: dict[Address, None] = {}
        self._collect((*self.targets, *self.updates), found)
        # What a replaced formula read is wanted too: it may be a part of the right one.
        read = [r for cell in self.replaced for r in self.graph.shape(cell).references]
        self._collect(read, found)
        self.cells = list(found)
        self.cells_set = frozenset(self.cells)
        for cell in self.cells:
            self._compute(cell)

    def _collect(self, targets: Iterable[Address], found: dict[Address, None]) -> None:
        """Add the formulas that lead to some cells from the iteration's weights, each after those that it reads."""
        waiting, open_cells = list(targets), set[Address]()
        while waiting:
            cell = waiting[-1]
            is_known = cell in found or cell in self._varying or not self.is_formula(cell) or self._is_earlier(cell)
            if is_known or cell in open_cells:
                waiting.pop()
                if not is_known:
                    found[cell] = None
                continue
            open_cells.add(cell)
            previous = self._find_previous(cell)
            waiting += [r for r in self.references(cell) if r not in open_cells and r != previous]

    def is_formula(self, cell: Address) -> bool:
        """Return whether a cell is computed from others."""
        return cell in self.replaced or (cell in self.graph.places and self.graph.is_formula(cell))

    def references(self, cell: Address) -> Sequence[Address]:
        """Return what a cell reads."""
        replaced = self.replaced.get(cell)
        if replaced is None:
            shape = self.graph.shape(cell)
            return (*shape.references, *shape.flat)
        return () if isinstance(replaced, np.ndarray) else self.graph.read_by(replaced)

    def _is_earlier(self, cell: Address) -> bool:
        """Return whether a formula belongs to an iteration before; none does that reads a replaced one."""
        is_known = cell in self.graph.places and cell not in self._touched
        return is_known and self.training.levels.get(cell, self.level) < self.level

    @cached_property
    def _touched(self) -> set[Address]:
        """Replaced cells and the formulas that they lead to within the iteration."""
        found, waiting = set[Address](), list(self.replaced)
        while waiting:
            cell = waiting.pop()
            if cell not in found:
                found.add(cell)
                waiting += [] if cell in self.updates else self.graph.readers.get(cell, ())
        return found

    def value(self, cell: Address) -> Value:
        """Return a cell's number, one a point, or what is typed there."""
        if cell in self._locals:
            return self._locals[cell].value
        if cell not in self._known:
            self._known[cell] = self._find_outside(cell)
        return self._known[cell]

    def _find_outside(self, cell: Address) -> Value:
        """Return the number of a cell that the iteration does not compute."""
        if not self._is_earlier(cell):
            return self.graph.typed(cell)
        return self._read_actual(cell) if self.is_actual else self._numbers.uniform(0.2, 0.9, POINTS)

    def _read_actual(self, cell: Address) -> Floats:
        return np.full(POINTS, self.graph.actual_number(cell))

    def number(self, cell: Address) -> Floats:
        """Return a cell's number at each point; NaN where it has none."""
        value = self.value(cell)
        if value is None or isinstance(value, str):
            return np.full(POINTS, np.nan if value else 0.0)
        return np.broadcast_to(np.asarray(value, dtype=float), (POINTS,))

    def slopes(self, cell: Address) -> Mapping[Address, Floats]:
        """Return a formula's slopes to what it reads directly and varies with the weights."""
        return self._locals[cell].slopes if cell in self._locals else {}

    def all_slopes(self, cell: Address) -> Mapping[Address, Floats]:
        """Return the same, and the slopes to formulas that happen not to vary, and to typed numbers."""
        fixed = [r for r in self.references(cell) if r not in self.slopes(cell) and self._has_number(r)]
        if not fixed or isinstance(self.replaced.get(cell), np.ndarray):
            return self.slopes(cell)
        try:
            local = self.graph.differentiate(cell, self._broadcast, fixed, self._formula(cell))
        except (UnreadableError, RecursionError):
            return self.slopes(cell)
        return {**self.slopes(cell), **{r: np.broadcast_to(s, (POINTS,)) for r, s in local.slopes.items()}}

    def _formula(self, cell: Address) -> Formula | None:
        replaced = self.replaced.get(cell)
        return None if isinstance(replaced, np.ndarray) else replaced

    def _has_number(self, cell: Address) -> bool:
        return cell in self.cells_set or isinstance(self.value(cell), float | np.ndarray)

    def _broadcast(self, cell: Address) -> Value:
        return self.number(cell) if self._has_number(cell) else self.value(cell)

    def _compute(self, cell: Address) -> None:
        replaced = self.replaced.get(cell)
        if isinstance(replaced, np.ndarray):
            self._locals[cell] = Local(replaced, {})
            self._varying.add(cell)
            return
        variables = [r for r in self.references(cell) if r in self._varying]
        self._varying |= {cell} if variables else set()
        try:
            local = self.graph.differentiate(cell, self.value, variables, replaced)
            value = np.broadcast_to(local.value, (POINTS,))
            slopes = {v: np.broadcast_to(s, (POINTS,)) for v, s in local.slopes.items()}
            # A condition, or an array formula in another's place, names cells of which only some matter here.
            steep = self.graph.shape(cell).references if replaced is None else ()
            slopes = {v: s for v, s in slopes.items() if v in steep or np.any(s != 0)}
            self._locals[cell] = Local(value, slopes)
        except (UnreadableError, RecursionError) as error:
            found = self.broken if isinstance(error, NoNumberError) else self.unread
            found[cell] = str(error) or "the formula is nested too deeply"
            self._locals[cell] = Local(np.full(POINTS, np.nan), {})
            return
        if np.isfinite(value).all():
            return
        read = [np.isfinite(self.number(r)) for r in self.references(cell)]
        if not np.isfinite(value).any() and all(known.any() for known in read):
            self.broken[cell] = "it has no number as its result"
        elif np.any(np.all(read, axis=0) & ~np.isfinite(value)):
            self.partial.add(cell)

    def _find_previous(self, cell: Address) -> Address | None:
        """Return the cell an iteration earlier of whose number a formula adds a share: its momentum."""
        shares = self.graph.shape(cell).constants
        for reference in self.references(cell) if self.level else ():
            share = shares.get(reference, 0.5 if cell in self.replaced else 1.0)
            is_earlier = self._is_earlier(reference) or not self.is_formula(reference)
            # A mistake may let the cell before read this iteration's weights; what has the same share is one of a mean.
            is_earlier |= list(shares.values()).count(share) == 1
            if is_earlier and abs(share) < 1 and reference not in self.weights and self._is_before(reference, cell):
                self.momentum |= {cell: share} if cell not in self.replaced else {}
                self._known[reference] = self._read_actual(reference) if self.is_actual else np.zeros(POINTS)
                return reference
        return None

    def _is_before(self, earlier: Address, cell: Address) -> bool:
        """Return whether a cell is as far from another as the weights are from those of the iteration before."""
        steps = {
            (weight.row - chain.cells[self.level - 1].row, weight.column - chain.cells[self.level - 1].column)
            for weight, chain in self.weights.items()
        }
        return (cell.row - earlier.row, cell.column - earlier.column) in steps

    def derivatives(self, error: Address) -> dict[Address, Floats]:
        """Return the error's derivative by each cell that it depends on."""
        found: dict[Address, Floats] = {error: np.full(POINTS, 1.0)}
        for cell in reversed(self.cells):
            if cell in found:
                for reference, slope in self.slopes(cell).items():
                    found[reference] = found.get(reference, 0.0) + found[cell] * slope
        return found

    @cached_property
    def steps(self) -> Mapping[Address, Floats]:
        """By how much each update changes its weight."""
        return {update: self.number(update) - self.number(weight) for update, weight in self.updates.items()}


def same(found: Floats, right: Floats) -> bool:
    """Return whether numbers agree at all points where both exist, and there are some."""
    known = np.isfinite(found) & np.isfinite(right)
    return bool(known.sum() >= 3) and agree(found[known], np.broadcast_to(right, found.shape)[known])
