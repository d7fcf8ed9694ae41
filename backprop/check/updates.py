"""The training in a sheet: updates w' = w - η·g, found by what their formulas depend on, and the iterations they make.

An update adds something that depends on a weight to that weight: its slope to it is 1, and another cell that it reads
leads back to the weight, through no other update. No header says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from backprop.check.cells import Address
from backprop.check.graph import Graph

_MAX_JOINED = 20


@dataclass(frozen=True)
class Chain:
    """A weight from iteration to iteration: the cell that holds it at first, and those that update it."""

    cells: tuple[Address, ...]
    """By iteration, counted from 0."""


@dataclass(frozen=True)
class Training:
    """Weights that are trained together."""

    chains: tuple[Chain, ...]
    levels: Mapping[Address, int]
    """The latest iteration of which a cell reads a weight, directly or not; cells that read none are not in it."""
    reads: Mapping[Address, int]
    """Which weights of its iteration a formula depends on, as bits."""
    bits: Mapping[Address, int]
    """The places of the weights among the bits."""

    @cached_property
    def _mask(self) -> int:
        return sum(1 << self.bits[cell] for chain in self.chains for cell in chain.cells if cell in self.bits)

    def concerns(self, cell: Address) -> bool:
        """Return whether a formula depends on one of the weights."""
        return bool(self.reads.get(cell, 0) & self._mask)

    @cached_property
    def iterations(self) -> range:
        """The iterations that have updates."""
        return range(max(len(chain.cells) for chain in self.chains) - 1)

    def weights(self, level: int) -> Mapping[Address, Chain]:
        """Return the cells that hold the weights in an iteration."""
        return {chain.cells[level]: chain for chain in self.chains if level < len(chain.cells)}

    def updates(self, level: int) -> Mapping[Address, Address]:
        """Return the updates that end an iteration, and the weights that they update."""
        return {c.cells[level + 1]: c.cells[level] for c in self.chains if level + 1 < len(c.cells)}


@dataclass
class Search:
    """The search for updates."""

    graph: Graph
    forced: dict[Address, Address] = field(default_factory=dict)
    """Cells that stand where updates belong, whatever they hold, and the weights."""
    rejected: set[Address] = field(default_factory=set)
    """Formulas that only look like updates."""
    starts: set[Address] = field(default_factory=set)
    """Cells that repeat a typed number with which more than one training begins, each for its own."""
    sources: dict[Address, Address] = field(default_factory=dict)
    """Updates and the weights that they update."""
    levels: dict[Address, int] = field(default_factory=dict)
    reads: dict[Address, int] = field(default_factory=dict)
    """Which weights a formula depends on within its iteration, as bits."""
    bits: dict[Address, int] = field(default_factory=dict)

    @property
    def trained(self) -> set[Address]:
        """The cells that hold weights."""
        return {*self.sources, *self.sources.values()}

    def scan(self) -> None:
        """Find the updates among the formulas."""
        self._scan_formulas()
        begun = Counter(source for source in self.sources.values() if source not in self.sources)
        starts = {
            summand
            for cell, source in self.sources.items()
            for summand in self.graph.shape(cell).summands
            if begun[source] > 1 and summand != source and self.graph.copied(summand) == source
        }
        if starts - self.starts:
            self.starts |= starts
            self._scan_formulas()
        # Numbers that are typed where an update belongs.
        self.sources |= {cell: source for cell, source in self.forced.items() if cell not in self.reads}
        self._count_levels()

    def _scan_formulas(self) -> None:
        self.sources, self.reads, self.bits = {}, {}, {}
        self.graph.anchor((*self.forced, *self.starts))
        for cell in self.graph.order:
            if cell in self.starts or (cell not in self.forced and self.graph.is_constant(cell)):
                continue
            self.reads[cell] = 0
            for reference in self.graph.shape(cell).references:
                self.reads[cell] |= self._mask(reference)
            source = self.forced.get(cell) or (None if cell in self.rejected else self._find_source(cell))
            if source is not None:
                self.sources[cell] = source
                self.bit(cell)

    def _count_levels(self) -> None:
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
        return 1 << self.bit(reference)

    def bit(self, leaf: Address) -> int:
        """Return the place of a cell among the bits."""
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


def join_trainings(trainings: Iterable[Training]) -> Training:
    """Join trainings of one workbook."""
    parts = list(trainings)
    return replace(parts[0], chains=tuple(chain for training in parts for chain in training.chains))


def list_trainings(search: Search) -> list[Training]:
    """Return what a search found: chains of weights whose updates read each other."""
    following: dict[Address, Address] = {}
    for cell, source in search.sources.items():
        following.setdefault(source, cell)
    starts = [cell for cell in following if cell not in search.sources]
    chains = [Chain(tuple(_follow(start, following))) for start in sorted(starts)]
    return [Training(tuple(g), search.levels, search.reads, search.bits) for g in _join(chains, search)]


def _follow(cell: Address, following: Mapping[Address, Address]) -> Iterator[Address]:
    yield cell
    while cell in following:
        cell = following[cell]
        yield cell


def _join(chains: Sequence[Chain], search: Search) -> Iterable[list[Chain]]:
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
