"""Which iterations of a training compute the same from their weights: one of them then stands for all."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from backprop.check.cells import Address
from backprop.check.graph import Graph
from backprop.check.updates import Training


class Signatures:
    """Numbers that are the same for cells of different iterations which compute the same from their weights."""

    def __init__(self, graph: Graph, training: Training, cells: Sequence[Address]) -> None:
        self._graph, self._training, self._cells = graph, training, cells
        self._known: dict[Address, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._chains = {cell: n for n, chain in enumerate(training.chains) for cell in chain.cells}
        self._shared = self._find_shared()

    def _find_shared(self) -> set[Address]:
        """Typed cells that more than one iteration reads."""
        levels: dict[Address, set[int]] = defaultdict(set)
        for cell in self._cells:
            level = self._training.levels[cell]
            for reference in self._graph.shape(cell).references:
                if reference not in self._graph.places and len(levels[reference]) < 2:
                    levels[reference].add(level - (cell in self._chains))
        return {cell for cell, seen in levels.items() if len(seen) > 1}

    def sign(self, cell: Address, level: int) -> int:
        """Return the number of a cell."""
        waiting = [cell]
        while waiting:
            top = waiting[-1]
            read = self._graph.shape(top).references
            missing = [r for r in read if self._is_inside(r, level) and r not in self._known]
            if missing and top not in self._known:
                waiting += missing
                continue
            waiting.pop()
            if top not in self._known:
                holder = self._graph.workbook.cell(top)
                is_update = top in self._chains
                key = holder and (holder.formula or holder.value), *(self._describe(r, level, is_update) for r in read)
                self._known[top] = self._numbers.setdefault(key, len(self._numbers))
        return self._known[cell]

    def _is_inside(self, cell: Address, level: int) -> bool:
        return cell in self._graph.places and self._training.levels.get(cell) == level and cell not in self._chains

    def _describe(self, cell: Address, level: int, is_update: bool) -> Hashable:
        if cell in self._chains:
            return "weight", self._chains[cell], self._training.levels[cell] - level
        if self._is_inside(cell, level):
            return self._known[cell]
        if cell in self._graph.places:
            holder, own = self._graph.workbook.cell(cell), self._training.levels.get(cell)
            return "formula", holder and holder.formula, own if own is None else own - level
        if cell in self._shared:
            return cell
        # Data may differ from row to row; what only an update reads is no data.
        return ("own", str(self._graph.typed(cell))) if is_update else "own"
