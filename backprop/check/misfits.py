"""Cells that stand where an update belongs and do something else: found by their place among the updates of others.

A formula that has lost its weight or its gradient is no update by its slopes. Left unknown, it would let iterations run
together, or pass for a constant.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backprop.check.cells import Address
from backprop.check.graph import Graph
from backprop.check.updates import Search, Training, list_trainings

_MAX_PASSES = 12
Step = tuple[int, int]
"""Rows and columns from a weight to its update."""


@dataclass
class Found:
    """The trainings of a workbook."""

    trainings: list[Training]
    miscopied: dict[Address, Address]
    """Cells that should repeat a weight and repeat or hold something else, and the weight."""
    doubtful: Mapping[Address, str]
    """Formulas of which it is not known what they are for, and why."""


def find_trainings(graph: Graph, forced: Mapping[Address, Address] | None = None) -> Found:
    """Find weights, updates and iterations; `forced` are updates that are known already. Raises CircularError."""
    search = Search(graph, dict(forced or {}))
    miscopied: dict[Address, Address] = {}
    search.scan()
    misfits = _Misfits(search)
    for _ in range(_MAX_PASSES if search.sources else 0):
        misfits = _Misfits(search)
        copies = {cell: weight for cell, weight in misfits.find_copies().items() if cell not in miscopied}
        odd = set() if copies else misfits.find_odd() - search.rejected
        found = {} if copies or odd else misfits.find()
        if not copies and not odd and not found:
            break
        search.rejected |= odd
        for cell, weight in copies.items():
            graph.correct(cell, weight)
        miscopied |= copies
        search.forced |= found
        search.scan()
    return Found(list_trainings(search), miscopied, misfits.doubtful | misfits.find_unused())


@dataclass
class _Misfits:
    search: Search
    doubtful: dict[Address, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph, self.levels = self.search.graph, self.search.levels
        self._trained = self.search.trained
        self._updated = Counter(self.search.sources.values())

    def find(self) -> dict[Address, Address]:
        """Return cells that update nothing, or another weight than the one of their place, and that weight."""
        ends = [cell for cell in self._trained if cell not in self._updated]
        found = self._find_displaced() or {c: s for end in ends for c, s in self._follow(end).items()}
        for goes_on in (True, False) if 0 in self._steps else ():
            starts = (
                [] if found else [s for s in self._list_typed() if self._goes_on(move(s, self._steps[0])) == goes_on]
            )
            found = found or {c: s for start in starts for c, s in self._follow(start, is_new=True).items()}
        return {cell: source for cell, source in found.items() if self.search.forced.get(cell) != source}

    @cached_property
    def _steps(self) -> Mapping[int, Step]:
        """How far most updates are from their weights, by iteration."""
        counts: dict[int, Counter[Step]] = defaultdict(Counter)
        for cell, source in self.search.sources.items():
            if cell.sheet == source.sheet:
                counts[self.levels[source]][cell.row - source.row, cell.column - source.column] += 1
        total = sum(counts.values(), Counter[Step]())
        most = max(total, key=lambda s: (0 in s, total[s]), default=(0, 0))
        usual = max((count[most] for count in counts.values()), default=0)
        # Down or to the right: a slanting step leads from another weight's cell. Few of another length are no updates.
        best = {level: max(count, key=lambda s: (0 in s, s == most, count[s])) for level, count in counts.items()}
        return {level: s if 0 in s and 2 * counts[level][s] >= usual else most for level, s in best.items()}

    def find_odd(self) -> set[Address]:
        """Return formulas that look like updates, stand elsewhere than updates do, and are read by one.

        A gradient g = delta + x adds something that depends on x to x.
        """
        found = set()
        for cell, source in self.search.sources.items():
            step = cell.row - source.row, cell.column - source.column
            others = [other for other in self.graph.readers.get(cell, ()) if other in self.search.sources]
            is_early = any(self.levels[other] == self.levels[cell] for other in others)
            usual = self._steps.get(self.levels[source], (0, 0))
            is_odd = step != usual and cell not in self.search.forced
            before = move(cell, (-usual[0], -usual[1]))
            is_stray = before not in self._trained and not self._is_number(before)
            if is_odd and (is_early or is_stray or (cell.row == source.row and usual[0])):
                found.add(cell)
        return found

    def _find_displaced(self) -> dict[Address, Address]:
        """An update may start from another weight's cell, or from a number that is no weight."""
        found = {}
        for cell, source in self.search.sources.items():
            step = self._steps.get(self.levels[source], (0, 0))
            weight = Address(cell.sheet, cell.row - step[0], cell.column - step[1])
            is_skipped = source == move(weight, (-step[0], -step[1])) and self.graph.is_formula(weight)
            is_there = weight in self._trained or self._is_number(weight) or is_skipped
            if weight not in (source, cell) and weight not in self._updated and is_there:
                found[cell] = weight
        return found

    def _is_number(self, cell: Address) -> bool:
        if cell.row < 1 or cell.column < 1 or self.graph.is_formula(cell):
            return self.graph.is_constant(cell)
        return isinstance(self.graph.typed(cell), float)

    def _follow(self, end: Address, *, is_new: bool = False) -> dict[Address, Address]:
        """Go on from a weight as other weights do, and return what stands there, with what it should update."""
        found: dict[Address, Address] = {}
        level = self.levels.get(end, 0)
        while step := self._steps.get(level) or self._find_step_beyond(end, level):
            place = move(end, step)
            taken = self.search.sources.get(place)
            is_there = self.graph.workbook.cell(place) is not None or self.graph.is_formula(move(place, step))
            if not is_there or (taken is not None and self._updated[taken] < 2):
                break
            if is_new and not self._is_weight(end, place, step):
                break
            found[place] = end
            if place in self._trained and is_new:
                break  # a number that is typed between two updates
            end, level, is_new = place, level + 1, False
        return found

    def _find_step_beyond(self, end: Address, level: int) -> Step | None:
        """Return the step to a formula after all updates that reads its weight and, unlike a total, no earlier one."""
        step = self._steps.get(level - 1)
        if step is None or end not in self.search.sources:
            return None
        place = move(end, step)
        read = self.graph.shape(place).references
        is_update = end in read and self.graph.copied(place) == place and self.search.sources[end] not in read
        return step if is_update else None

    def _list_typed(self) -> list[Address]:
        """Return typed numbers that the forward pass reads."""
        read = {reference for cell in self._forward for reference in self.graph.shape(cell).references}
        row, column = self._steps.get(0, (0, 0))
        read |= {move(cell, (-row, -column)) for cell in read if self._goes_on(cell)}
        return sorted(number for number in read - self._trained if self._is_number(number))

    @cached_property
    def _forward(self) -> set[Address]:
        """The formulas that lead to more than updates."""
        leading = list_ancestors(self.graph, self.search.sources)
        waiting = [cell for cell in self.levels if cell not in leading]
        found: set[Address] = set()
        while waiting:
            cell = waiting.pop()
            if cell not in found and cell not in self._trained and not self._goes_on(cell):
                found.add(cell)
                waiting += [r for r in self.graph.shape(cell).references if r in self.graph.places]
        return found

    def _goes_on(self, cell: Address) -> bool:
        """Return whether a formula goes on from its own number an iteration earlier, as an update does."""
        row, column = self._steps.get(0, (0, 0))
        return move(cell, (-row, -column)) in self.graph.shape(cell).references

    @cached_property
    def _readers(self) -> Mapping[Address, Sequence[tuple[Address, int]]]:
        """The formulas of the forward pass that read a cell, and in which of their places."""
        found: dict[Address, list[tuple[Address, int]]] = defaultdict(list)
        for cell in self._forward:
            for place, reference in enumerate(self.graph.shape(cell).references):
                found[self.graph.copied(reference)].append((cell, place))
        return found

    def _is_weight(self, start: Address, place: Address, step: Step) -> bool:
        """Return whether a number becomes what stands in a cell: both are used in the same way, as weights are."""
        if self._goes_on(place) and place in self._readers and self.levels.get(place) == self.levels.get(start, 0):
            return True
        patterns = [set(self._list_patterns(used)) for used in (start, place)]
        if not patterns[0] & patterns[1] or self.graph.copied(place) != place:
            return False
        if place not in self.search.reads:
            return place in self._trained and self._is_peer(start, step)
        reads = self.graph.shape(place).references
        # What a number becomes is computed from its own iteration, and not from the next one as what is read there.
        if self.levels.get(place) == self.levels.get(start, 0) or (start in reads and self._is_peer(start, step)):
            return True
        if start in reads:
            self.doubtful[place] = "it changes from iteration to iteration, by a formula that reads no gradient"
        return False

    def _list_patterns(self, used: Address) -> Iterator[tuple[object, int]]:
        for cell, place in self._readers.get(used, ()):
            holder = self.graph.workbook.cell(cell)
            yield holder and holder.formula, place

    def _is_peer(self, start: Address, step: Step) -> bool:
        """Return whether a typed number is added up with trained weights; an input is multiplied with them.

        Where no formula reads it together with weights, it has to stand beside one.
        """
        for cell, _ in self._readers.get(start, ()):
            names = [r for r in self.graph.shape(cell).references if self.graph.copied(r) == start]
            weights = [r for r in self.graph.shape(cell).references if self.graph.copied(r) in self._trained]
            if names and weights:
                return not self.graph.is_mixed(cell, names[0], weights)
        across = (0, 1) if step[0] else (1, 0)
        return any(move(start, (s * across[0], s * across[1])) in self._trained for s in (1, -1))

    def find_unused(self) -> dict[Address, str]:
        """Return formulas beside updates that go on as these do, from numbers on which nothing else depends."""
        step = self._steps.get(0, (0, 0))
        across = (0, 1) if step[0] else (1, 0)
        found = {}
        for update in self.search.sources if step != (0, 0) else ():
            for side in (1, -1):
                cell = move(update, (side * across[0], side * across[1]))
                is_other = cell not in self._trained and cell in self.levels and self._goes_on(cell)
                if is_other and not self._readers.get(cell):
                    found[cell] = "it is updated as weights are, but no error depends on it"
        return found

    def find_copies(self) -> dict[Address, Address]:
        """Return cells that stand where other updates are repeated, and do not repeat theirs."""
        direct: dict[Address, list[Address]] = defaultdict(list)
        for cell in self.graph.order:
            target = self.graph.repeats(cell)
            if target is not None:
                direct[target].append(cell)
        offsets: Counter[Step] = Counter()
        for update in self.search.sources:
            offsets.update((c.row - update.row, c.column - update.column) for c in direct[update])
        if not offsets:
            return {}
        offset, count = offsets.most_common(1)[0]
        if count * 2 < len(self.search.sources):
            return {}
        found = {}
        for update in self.search.sources:
            cell = move(update, offset)
            is_other = cell not in direct[update] and cell not in self.search.sources
            if is_other and (self.graph.is_formula(cell) or self._is_number(cell)):
                found[cell] = update
        return found


def move(address: Address, step: Step) -> Address:
    """Return the cell so many rows and columns away."""
    return Address(address.sheet, max(1, address.row + step[0]), max(1, address.column + step[1]))


def list_ancestors(graph: Graph, cells: Iterable[Address]) -> set[Address]:
    """Return formulas that lead to some cells, with those that are formulas themselves."""
    found, waiting = set[Address](), list(cells)
    while waiting:
        cell = waiting.pop()
        if cell not in found and cell in graph.places:
            found.add(cell)
            waiting += graph.shape(cell).references
    return found
