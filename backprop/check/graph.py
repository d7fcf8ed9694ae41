"""A workbook's formulas as a graph: which cells each reads, and how steeply it depends on them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np

from backprop.check.cells import Address, ForeignWorkbook
from backprop.check.evaluation import Evaluation, Value
from backprop.check.formulas import NoNumberError, Reference, Tree, UnreadableError, calls, find_references
from backprop.check.functions import Floats
from backprop.check.references import PLACE_DEPENDENT, Formulas, Scope, expand, find_origin, read_number_as_text

_STEP = 1e-20
"""The imaginary part that carries a derivative: too small to change a real part (complex-step differentiation)."""
_SAMPLES = np.random.default_rng(5).uniform(0.2, 0.9, (64, 12)) * np.repeat([[1.0, -1.0]], 6, axis=1).reshape(-1)
"""Numbers for what a formula reads: at half of the points positive, as a logarithm needs them."""


class Formula(NamedTuple):
    """A formula and where it is written: an array formula in the first of its cells."""

    tree: Tree
    origin: Address
    is_array: bool = False


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
    flat: tuple[Address, ...] = ()
    """Cells that are read by name and change nothing by themselves, or not near 0: in a ReLU's condition, say."""


class CircularError(UnreadableError):
    """Formulas that lead back to themselves; the message names one of the cells."""


@dataclass
class Graph:
    """The formula cells of a workbook, or some of them."""

    formulas: Formulas
    cells: Sequence[Address]
    _anchors: frozenset[Address] = field(init=False, default=frozenset())
    _copies: dict[Address, Address] = field(init=False, default_factory=dict)
    corrected: dict[Address, Formula] = field(init=False, default_factory=dict)
    """What is computed in place of a cell's content."""
    _shapes: dict[Address, Shape] = field(init=False, default_factory=dict)
    _places: dict[object, tuple[Sequence[int], Mapping[int, float]]] = field(init=False, default_factory=dict)
    _actual: Scope = field(init=False)
    _is_computed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._actual = Scope(self.formulas, lambda _: None, runs_on=True)

    @property
    def workbook(self) -> ForeignWorkbook:
        """Return the workbook."""
        return self.formulas.workbook

    def is_formula(self, address: Address) -> bool:
        """Return whether a cell holds a formula, be it one that reads no cell."""
        cell = self.workbook.cell(address)
        return address in self.corrected or (cell is not None and cell.formula is not None)

    def is_constant(self, address: Address) -> bool:
        """Return whether a cell holds a formula that names no cell, such as =RAND(): a number as if it were typed."""
        if self.shape(address).references:
            return False
        try:
            formula = self.formula(address)
            return formula is not None and not self._read_by_cell(address, formula)
        except (UnreadableError, RecursionError):
            return False

    def typed(self, address: Address) -> Value:
        """Return what is typed into a cell; a number that is stored as a text counts as the number."""
        cell = self.workbook.cell(address)
        if cell is None:
            return None
        number = read_number_as_text(cell.value)
        return cell.value if number is None else number

    def repeats(self, address: Address) -> Address | None:
        """Return the cell that a cell only repeats, or None where it does something else."""
        if address in self._anchors:
            return None
        formula = self.corrected.get(address)
        return self.formulas.copied(address) if formula is None else self.read_by(formula)[0]

    def copied(self, address: Address) -> Address:
        """Return the cell whose content a cell repeats, itself if it is no copy."""
        path, place = dict[Address, None](), address
        while place not in self._copies:
            path[place] = None
            following = self.repeats(place)
            if following is None or following in path:
                self._copies[place] = place
                break
            place = following
        self._copies |= dict.fromkeys(path, self._copies[place])
        return self._copies[address]

    def anchor(self, cells: Iterable[Address]) -> None:
        """Count some cells from now on as themselves, even where they only repeat another."""
        self._anchors = frozenset(cells)
        self._copies.clear()

    def correct(self, cell: Address, source: Address) -> None:
        """Compute a cell from now on as one that repeats another."""
        tree = Reference(source.sheet, source.row, source.column, True, True)
        self.corrected[cell] = Formula(tree, cell)
        self.cells = list(dict.fromkeys((*self.cells, cell)))
        self._shapes.pop(cell, None)
        self._copies.clear()
        for name in ("order", "places", "readers"):
            self.__dict__.pop(name, None)

    def shape(self, address: Address) -> Shape:
        """Return what a cell's formula depends on; nothing where it has none or cannot be read."""
        if address not in self._shapes:
            try:
                self._shapes[address] = self._find_shape(address)
            except (UnreadableError, RecursionError):
                self._shapes[address] = Shape((), (), {})
        return self._shapes[address]

    def _find_shape(self, address: Address) -> Shape:
        formula, cell = self.formula(address), self.workbook.cell(address)
        if formula is None or cell is None:
            return Shape((), (), {})
        if address in self.corrected:
            source = tuple(self.read_by(formula))
            return Shape(source, source, dict.fromkeys(source, 1.0))
        references = self._read_by_cell(address, formula)
        key = cell.formula, address.row - formula.origin.row, address.column - formula.origin.column, len(references)
        if key not in self._places:
            samples = {r: _SAMPLES[n % len(_SAMPLES)] for n, r in enumerate(references)}
            try:
                local = self.differentiate(address, lambda target: samples.get(target, self.typed(target)), references)
            except NoNumberError:  # which does not tell what it would depend on
                return Shape(tuple(references), (), {})
            self._places[key] = _look_at([local.slopes[reference] for reference in references])
        steep, constants = self._places[key]
        slopes = {references[place]: slope for place, slope in constants.items()}
        summands = tuple(r for r, slope in slopes.items() if abs(slope - 1) < 1e-12)
        is_placed, parts = self.formulas.find_places(address)
        by_name = not is_placed and all(isinstance(part, Reference) for part in parts)
        flat = tuple(r for place, r in enumerate(references) if by_name and place not in steep)
        return Shape(tuple(references[place] for place in steep), summands, slopes, flat)

    def _read_by_cell(self, address: Address, formula: Formula) -> Sequence[Address]:
        """Return what a cell's formula reads; which references it has is looked up once for each pattern."""
        is_placed, parts = self.formulas.find_places(address)
        if is_placed:
            return self.read_by(formula)
        return list(dict.fromkeys(target for part in parts for target in expand(part, formula.origin)))

    def formula(self, address: Address) -> Formula | None:
        """Return a cell's formula; None where it has none. Raises UnreadableError."""
        if address in self.corrected:
            return self.corrected[address]
        tree, cell = self.formulas.tree(address), self.workbook.cell(address)
        if tree is None or cell is None:
            return None
        return Formula(tree, find_origin(cell, address), cell.array is not None)

    def moved(self, model: Address, address: Address) -> Formula | None:
        """Return the formula of a cell as it would be filled into another one. Raises UnreadableError."""
        cell = self.workbook.cell(model)
        if cell is None or cell.formula is None:
            return None
        first = find_origin(cell, model)
        row, column = address.row + first.row - model.row, address.column + first.column - model.column
        origin = Address(address.sheet, row, column)
        return Formula(self.formulas.parse(cell.formula.text(row, column), origin), origin, cell.array is not None)

    def read_by(self, formula: Formula) -> Sequence[Address]:
        """Return the cells that a formula reads. Raises UnreadableError.

        Which ones INDEX and OFFSET read shows when they are computed.
        """
        tree, origin, is_array = formula
        if not calls(tree, PLACE_DEPENDENT):
            return list(dict.fromkeys(t for part in find_references(tree) for t in expand(part, origin)))
        reads: list[Address] = []

        def read(target: Address) -> Value:
            reads.append(target)
            value = self.typed(target)
            return value if isinstance(value, str) else float(_SAMPLES[len(reads) % len(_SAMPLES), 0])

        Evaluation(origin, read, self.actual, is_array).compute(tree)
        return list(dict.fromkeys(reads))

    def actual(self, address: Address) -> Value:
        """Return what a cell shows with the sheet's own typed numbers. Raises UnreadableError."""
        cell = self.workbook.cell(address)
        if cell is not None and isinstance(cell.value, int | float):
            return cell.value
        self._compute_all()
        return self._actual.value(address)

    def _compute_all(self) -> None:
        """Compute the cells in their order once: each reads those before it, and a thousand at once are too deep."""
        if not self._is_computed:
            self._is_computed = True
            for cell in self.order:
                with suppress(UnreadableError, RecursionError):
                    self._actual.value(cell)

    def actual_number(self, address: Address) -> float:
        """Return the same as a number; NaN where a cell has none."""
        try:
            value = self.actual(address)
        except (UnreadableError, RecursionError):
            return float("nan")
        return float(value) if isinstance(value, int | float) else float("nan")

    def differentiate(
        self,
        address: Address,
        value: Callable[[Address], Value],
        variables: Sequence[Address],
        formula: Formula | None = None,
    ) -> Local:
        """Compute a cell's formula, or another one in its place, and its slopes to what it reads directly.

        `value` gives numbers as arrays, one entry a point. NaN where there is no number. Raises UnreadableError.
        """
        formula = formula or self.formula(address)
        if formula is None:
            raise NoNumberError("the cell holds no formula")
        tree, origin, is_array = formula
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
        result = np.asarray(Evaluation(origin, read, self.actual, is_array).compute(tree, *inside))
        points = next((len(n[0]) for n in known.values() if isinstance(n, np.ndarray)), 1)
        table = np.broadcast_to(result, (copies, points))
        slopes = np.where(np.isfinite(np.real(table)), np.imag(table) / _STEP, np.nan)
        return Local(np.array(np.real(table[0])), {v: slopes[places[v]] for v in variables})

    def is_mixed(self, cell: Address, reference: Address, others: Sequence[Address]) -> bool:
        """Return whether a formula multiplies a cell with some others that it reads, and does not add it to them.

        Where both are added, and perhaps put into a function, their slopes keep their ratio. Raises UnreadableError.
        """
        samples = {r: _SAMPLES[n % len(_SAMPLES)] for n, r in enumerate(self.shape(cell).references)}
        moved = {name: samples[name][::-1] * 0.7 for name in (reference, *others)}
        ratios = []
        for known in (samples, samples | moved):
            slopes = self.differentiate(cell, lambda c, k=known: k.get(c, self.typed(c)), [reference, others[0]]).slopes  # type: ignore[misc]
            with np.errstate(all="ignore"):
                ratios.append(slopes[reference] / slopes[others[0]])
        known_both = np.isfinite(ratios[0]) & np.isfinite(ratios[1])
        return not np.allclose(ratios[0][known_both], ratios[1][known_both], rtol=1e-9)

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

    @cached_property
    def readers(self) -> Mapping[Address, Sequence[Address]]:
        """The cells that read a cell directly."""
        found: dict[Address, list[Address]] = defaultdict(list)
        for cell in self.order:
            for reference in self.shape(cell).references:
                found[reference].append(cell)
        return found


def _look_at(slopes: Sequence[Floats]) -> tuple[Sequence[int], Mapping[int, float]]:
    """Return which slopes are not 0 everywhere, by their places, and those that are the same everywhere."""
    steep, constants = list[int](), dict[int, float]()
    for place, slope in enumerate(slopes):
        finite = slope[np.isfinite(slope)]
        if finite.size and not np.any(finite):
            continue
        steep.append(place)
        if finite.size > 1 and np.ptp(finite) <= 1e-12 * abs(finite[0]):
            constants[place] = float(finite[0])
    return steep, constants
