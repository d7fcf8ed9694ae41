"""The training in a sheet: updates w' = w - η·g, found by what their formulas depend on, and the iterations they make.

An update adds something that depends on a weight to that weight: its slope to it is 1, and another cell that it reads
leads back to the weight, through no other update. No header says so.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backprop.check.cells import Address
from backprop.check.graph import Graph

_MAX_PASSES, _MAX_JOINED = 8, 20


@dataclass(frozen=True)
class Chain:
    """A weight from iteration to iteration: the cell that holds it at first, and those that update it."""

    cells: tuple[Address, ...]

    def weight(self, level: int) -> Address:
        """Return the cell that holds the weight in an iteration, counted from 0."""
        return self.cells[level]


@dataclass(frozen=True)
class Training:
    """Weights that are trained together."""

    chains: tuple[Chain, ...]
    levels: Mapping[Address, int]
    """The latest iteration of which a cell reads a weight, directly or not; cells that read none are not in it."""

    @cached_property
    def iterations(self) -> range:
        """The iterations that have updates."""
        return range(max(len(chain.cells) for chain in self.chains) - 1)

    def weights(self, level: int) -> Mapping[Address, Chain]:
        """Return the cells that hold the weights in an iteration."""
        return {chain.weight(level): chain for chain in self.chains if level < len(chain.cells)}

    def updates(self, level: int) -> Mapping[Address, Address]:
        """Return the updates that end an iteration, and the weights that they update."""
        return {c.cells[level + 1]: c.cells[level] for c in self.chains if level + 1 < len(c.cells)}


@dataclass
class _Search:
    graph: Graph
    sources: dict[Address, Address] = field(default_factory=dict)
    """Updates and the weights that they update."""
    forced: dict[Address, Address] = field(default_factory=dict)
    """Cells that stand where updates belong, whatever they hold, and the weights."""
    levels: dict[Address, int] = field(default_factory=dict)
    reads: dict[Address, int] = field(default_factory=dict)
    """Which weights a formula depends on within its iteration, as bits."""
    bits: dict[Address, int] = field(default_factory=dict)

    def run(self) -> None:
        """Find the updates, and those that are none but stand where one belongs; that may let others be found."""
        self._scan()
        for _ in range(_MAX_PASSES):
            found = self._find_misfits()
            if not found:
                break
            self.forced |= found
            self._scan()

    def _scan(self) -> None:
        self.sources, self.reads, self.bits = {}, {}, {}
        for cell in self.graph.order:
            self.reads[cell] = 0
            for reference in self.graph.shape(cell).references:
                self.reads[cell] |= self._mask(reference)
            source = self.forced.get(cell) or self._find_source(cell)
            if source is not None:
                self.sources[cell] = source
                self._bit(cell)
        # Numbers that are typed where an update belongs.
        self.sources |= {cell: source for cell, source in self.forced.items() if cell not in self.reads}
        self.levels = {source: 0 for source in self.sources.values() if source not in self.sources}
        for cell in self._ordered():
            source = self.sources.get(cell)
            read = self.graph.shape(cell).references if source is None else (source,)
            levels = [self.levels[r] for r in read if r in self.levels]
            if levels:
                self.levels[cell] = max(levels) + (source is not None)

    def _ordered(self) -> Iterator[Address]:
        """Yield all cells in order; typed ones among the updates as soon as their weights are known."""
        typed = {source: cell for cell, source in self.sources.items() if cell not in self.reads}
        waiting = [cell for source, cell in typed.items() if source not in self.reads and source not in typed.values()]
        for cell in (*waiting, *self.graph.order):
            yield cell
            while cell in typed:
                cell = typed[cell]
                yield cell

    def _mask(self, reference: Address) -> int:
        """Return the weights that a cell stands for or depends on; typed numbers may come to be weights."""
        if reference in self.bits:
            return 1 << self.bits[reference]
        if reference in self.reads:
            return self.reads[reference]
        return 1 << self._bit(reference)

    def _bit(self, leaf: Address) -> int:
        return self.bits.setdefault(leaf, len(self.bits))

    def _find_source(self, cell: Address) -> Address | None:
        """Return the weight that a formula updates, if it is an update."""
        shape = self.graph.shape(cell)
        for summand in shape.summands if len(shape.references) > 1 else ():
            source = self.graph.copied(summand)
            if source not in self.bits:
                continue
            others = (r for r in shape.references if r != summand and r not in self.bits and r in self.reads)
            if any(self.reads[other] >> self.bits[source] & 1 for other in others):
                return source
        return None

    def _find_misfits(self) -> dict[Address, Address]:
        """Find cells that stand as far from a weight as the updates of others, and do not update it.

        Of a weight that no other iteration updates, formulas have to be read as those of a trained one are.
        """
        steps = self._find_steps()
        updated = Counter(self.sources.values())
        known = {*self.sources, *self.sources.values()}
        ends = [s for s in known if s not in updated]
        starts = [c for c in self._typed_near(known) if c not in known] if 0 in steps else []
        found: dict[Address, Address] = {}
        for end in (*ends, *starts):
            level = self.levels.get(end, 0)
            while level in steps:
                place = _move(end, steps[level])
                is_new = end not in known and level == 0
                taken = self.sources.get(place)
                if self.graph.workbook.cell(place) is None or (taken is not None and updated[taken] < 2):
                    break
                if is_new and not self._is_used_alike(end, place):
                    break
                found[place] = end
                end, level = place, level + 1
        return {cell: source for cell, source in found.items() if self.forced.get(cell) != source}

    def _find_steps(self) -> dict[int, tuple[int, int]]:
        """Return by how many rows and columns most updates are away from their weights, by iteration."""
        counts: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
        for cell, source in self.sources.items():
            if cell.sheet == source.sheet:
                counts[self.levels[source]][cell.row - source.row, cell.column - source.column] += 1
        return {level: count.most_common(1)[0][0] for level, count in counts.items()}

    def _typed_near(self, known: set[Address]) -> list[Address]:
        """Return typed numbers that formulas of the training read."""
        read = {reference for cell in self.levels for reference in self.graph.shape(cell).references}
        return sorted(
            r for r in read - known if not self.graph.is_formula(r) and isinstance(self.graph.typed(r), float)
        )

    @cached_property
    def _patterns(self) -> Mapping[Address, set[tuple[object, int]]]:
        """By which formulas, as patterns, and in which of their places a cell is read."""
        found: dict[Address, set[tuple[object, int]]] = defaultdict(set)
        for cell in self.graph.order:
            holder = self.graph.workbook.cell(cell)
            for place, reference in enumerate(self.graph.shape(cell).references):
                found[self.graph.copied(reference)].add((holder and holder.formula, place))
        return found

    def _is_used_alike(self, start: Address, place: Address) -> bool:
        """Return whether a formula that reads a typed number reads, filled down, a formula that uses weights."""
        if place not in self.reads or place not in self.levels or self.graph.copied(place) != place:
            return False
        return bool(self._patterns.get(start, set()) & self._patterns.get(place, set()))


def _move(address: Address, step: tuple[int, int]) -> Address:
    return Address(address.sheet, max(1, address.row + step[0]), max(1, address.column + step[1]))


def find_trainings(graph: Graph) -> list[Training]:
    """Find the weights, updates and iterations of a workbook. Raises CircularError."""
    search = _Search(graph)
    search.run()
    following: dict[Address, Address] = {}
    for cell, source in search.sources.items():
        following.setdefault(source, cell)
    starts = [cell for cell in following if cell not in search.sources]
    chains = [Chain(tuple(_follow(start, following))) for start in sorted(starts)]
    return [Training(tuple(group), search.levels) for group in _join(chains, search)]


def _follow(cell: Address, following: Mapping[Address, Address]) -> Iterator[Address]:
    yield cell
    while cell in following:
        cell = following[cell]
        yield cell


def _join(chains: Sequence[Chain], search: _Search) -> Iterable[list[Chain]]:
    """Join chains whose updates read each other's weights."""
    weights = 0
    for cell in (cell for chain in chains for cell in chain.cells):
        weights |= 1 << search.bits[cell] if cell in search.bits else 0
    groups: list[tuple[int, list[Chain]]] = []
    for chain in chains:
        read, members = 0, [chain]
        for cell in chain.cells[:_MAX_JOINED]:
            read |= (search.reads.get(cell, 0) | (1 << search.bits[cell] if cell in search.bits else 0)) & weights
        for group in [group for group in groups if group[0] & read]:
            groups.remove(group)
            read, members = read | group[0], [*group[1], *members]
        groups.append((read, members))
    return [members for _, members in groups]
