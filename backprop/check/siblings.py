"""Cells of the forward pass that are unlike those of the other neurons, and what these have in their place.

Where the updates contradict the forward pass, either may be mistaken; but a neuron that alone reads an input twice,
lacks its activation or takes another one's weight is what nobody means.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from openpyxl.utils.cell import coordinate_to_tuple

from backprop.check.cells import Address
from backprop.check.formulas import UnreadableError
from backprop.check.graph import Formula, Graph
from backprop.check.iteration import Iteration
from backprop.check.judgement import Judgement

_REFERENCE = re.compile(r"(?<![\w.$!':])\$?[A-Z]{1,3}\$?\d+(?![\w(.!:])")
_MAX_SIBLINGS = 6


def list_unlike(judgement: Judgement, error: Address) -> Iterator[tuple[Address, Formula]]:
    """Yield cells that an error rests on, each with a formula that it has if it is written as one beside it."""
    graph, weights = judgement.iteration.graph, set(judgement.iteration.weights)
    unused = weights - set(judgement.derivatives)
    for cells in _group(judgement.iteration, error):
        for cell in cells:
            tried = {graph.workbook.formula(cell)}
            for sibling in [other for other in cells if other != cell][:_MAX_SIBLINGS]:
                for text in _write_alike(graph, cell, sibling, weights, unused):
                    if text not in tried:
                        with suppress(UnreadableError):
                            yield cell, Formula(graph.formulas.parse(text, cell), cell)
                    tried.add(text)


def _group(iteration: Iteration, error: Address) -> Sequence[Sequence[Address]]:
    """Return the formulas that an error rests on, by their steps away from what is no formula."""
    waiting, forward = [error], set[Address]()
    while waiting:
        cell = waiting.pop()
        if cell in iteration.cells_set and cell not in forward:
            forward.add(cell)
            waiting += iteration.references(cell)
    heights: dict[Address, int] = {}
    groups: dict[int, list[Address]] = defaultdict(list)
    for cell in iteration.cells:
        holder = iteration.graph.workbook.cell(cell)
        if cell in forward and holder is not None and holder.array is None:
            heights[cell] = 1 + max((heights.get(r, 0) for r in iteration.references(cell)), default=0)
            groups[heights[cell]].append(cell)
    return list(groups.values())


def _write_alike(
    graph: Graph, cell: Address, sibling: Address, weights: set[Address], unused: set[Address]
) -> Iterator[str]:
    """Yield a sibling's formula with a cell's own references in its places, or with its own weights."""
    own, theirs, text = _find_references(graph, cell), _find_references(graph, sibling), graph.workbook.formula(sibling)
    if text and len(own) == len(theirs):
        names = iter(own)
        yield _REFERENCE.sub(lambda _: next(names), text)
    used = {name for name in theirs if _locate(graph, name, sibling) in weights}
    mine = {name for name in own if _locate(graph, name, cell) in weights} | {weight.a1 for weight in unused}
    mine -= used
    if text and used and len(mine) == len(used):
        meant = dict(zip(sorted(used, key=_order), sorted(mine, key=_order), strict=True))
        yield _REFERENCE.sub(lambda match: meant.get(match.group(), match.group()), text)


def _find_references(graph: Graph, cell: Address) -> list[str]:
    return _REFERENCE.findall(graph.workbook.formula(cell) or "")


def _locate(graph: Graph, name: str, cell: Address) -> Address:
    return graph.copied(Address(cell.sheet, *_order(name)))


def _order(name: str) -> tuple[int, int]:
    return coordinate_to_tuple(name.replace("$", ""))
