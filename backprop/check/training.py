"""A training's error and whether its updates follow the error's derivatives, iteration by iteration."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from backprop.check.architecture import Architecture
from backprop.check.cells import Address
from backprop.check.formulas import UnreadableError
from backprop.check.functions import Floats
from backprop.check.graph import Formula, Graph
from backprop.check.iteration import Iteration, same
from backprop.check.judgement import Judgement, judge
from backprop.check.misfits import list_ancestors, move
from backprop.check.signatures import Signatures
from backprop.check.updates import Chain, Training

_REFERENCE = re.compile(r"\$?[A-Z]{1,3}\$?\d+")


def _varies(numbers: Floats) -> bool:
    known = numbers[np.isfinite(numbers)]
    return known.size > 1 and bool(np.ptp(known) > 1e-9 * np.max(np.abs(known)))


@dataclass
class Course:
    """All iterations of a training with the cell of the error in each."""

    graph: Graph
    training: Training
    _judged: dict[int, Judgement] = field(init=False, default_factory=dict)

    @cached_property
    def cells(self) -> Sequence[Address]:
        """The formulas that depend on the weights, the updates among them."""
        weights = {cell for chain in self.training.chains for cell in chain.cells}
        return [cell for cell in self.training.levels if cell in weights or self.training.concerns(cell)]

    @cached_property
    def ends(self) -> Mapping[int, Sequence[Address]]:
        """Cells that depend on an iteration's weights alone and lead to no update, by iteration."""
        leading = list_ancestors(self.graph, (cell for chain in self.training.chains for cell in chain.cells))
        found: dict[int, list[Address]] = defaultdict(list)
        for cell in self.graph.order:
            level = self.training.levels.get(cell)
            if level is not None and cell not in leading and self.training.concerns(cell):
                found[level].append(cell)
        return found

    @property
    def sample(self) -> int:
        """The iteration in which the error was looked for: not one of the first, where people begin otherwise."""
        return self._found[0]

    @property
    def error(self) -> Address | None:
        """The cell of the error in that iteration: the one whose derivatives most updates follow."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[int, Address | None]:
        last = len(self.training.iterations) - 1
        levels = dict.fromkeys((min(2, last), 0, last))
        best: tuple[tuple[float, ...], int, Address | None] = (0, 0, 0), min(2, last), None
        for level in levels:
            candidates = tuple(self.ends.get(level, ()))
            iteration = Iteration(self.graph, self.training, level, candidates)
            scores = {cell: self._score(iteration, cell) for cell in candidates}
            if all(score[0] < len(iteration.updates) for score in scores.values()):
                scores = {cell: (m, self._is_loss(iteration, cell), *rest) for cell, (m, _, *rest) in scores.items()}
            for cell, (matching, is_loss, *rest) in scores.items():
                score = (self._is_usual(cell), matching, is_loss, *rest)
                # Of two iterations the later one has to be the better.
                if any((matching, is_loss)) and (score[:3] > best[0][:3] or (level == best[1] and score > best[0])):
                    best = score, level, cell
            if best[0][:2] == (True, len(iteration.updates)):
                break
        return best[1:]

    def _is_usual(self, cell: Address) -> bool:
        """Return whether another iteration has a cell's formula too, if there is one."""
        holder, levels = self.graph.workbook.cell(cell), len(self.training.iterations)
        return levels < 2 or self._formulas[holder and holder.formula] > 1

    @cached_property
    def _formulas(self) -> Counter[object]:
        """In how many iterations a formula leads to no update."""
        holders = ({(h := self.graph.workbook.cell(c)) and h.formula for c in cells} for cells in self.ends.values())
        return Counter(formula for formulas in holders for formula in formulas)

    def _is_loss(self, iteration: Iteration, cell: Address) -> bool:
        """Return whether a cell is a known loss of all outputs: it is the error where the updates follow none."""
        derivatives = iteration.derivatives(cell)
        return set(iteration.weights) <= set(derivatives) and Architecture(iteration, derivatives).loss is not None

    def find_forgotten(self) -> dict[Address, Address]:
        """Return cells of the second iteration that should update a number, and the number's cell.

        They follow no gradient, though there is one: a cell that nobody reads gives the error's derivative by it.
        """
        judgement = self.judge(0)
        old, forward = judgement.iteration, set(judgement.derivatives)
        steps = Counter((u.row - w.row, u.column - w.column) for u, w in old.updates.items())
        step, found = steps.most_common(1)[0][0], dict[Address, Address]()
        read = {r for cell in forward & old.cells_set for r in old.references(cell)} - forward
        places = {r: move(r, step) for r in sorted(read)}
        numbers = [r for r, place in places.items() if self.graph.is_formula(place) and place not in old.updates]
        if not numbers:
            return {}
        free = Iteration(self.graph, self.training, 0, old.targets, free=frozenset(numbers))
        derivatives = free.derivatives(self.error_in(0))
        for unread in (cell for cell in old.targets if cell not in forward):
            for number in numbers:
                slope = derivatives.get(number)
                if slope is not None and (same(free.number(unread), slope) or same(-free.number(unread), slope)):
                    found[places[number]] = number
        return found

    def find_cut_off(self) -> dict[Address, Address]:
        """Return cells of the second iteration that stand for typed numbers of the first and are no updates of them.

        They rest on what the first iteration computes and the second error rests on them, so they are no data: an
        update that starts from another cell, or whose output does not depend on its weights in the first iteration.
        """
        old, new = self.error_in(0), self.error_in(1)
        if not self.graph.is_formula(new):
            return {}
        weights = self.training.weights(1)
        first = {old, *self._list_read(old, ())}
        second = {new, *self._list_read(new, weights)}
        computed = {c for c in first if self.graph.is_formula(after := self.shift(c, 0, 1)) and after in second - first}
        found = dict[Address, Address]()
        for cell in sorted(second - first - set(weights), key=lambda c: self.graph.places.get(c, -1)):
            start, update = self.shift(cell, 1, 0), self.graph.copied(cell)
            is_typed = isinstance(self.graph.typed(start), float) and not self.graph.is_formula(start)
            if is_typed and update not in weights and self.graph.is_formula(update):
                # A net input typed into the first iteration rests on it too, but by way of the updates that it reads.
                read = self._list_read(update, {*weights, *found})
                found |= {update: start} if (computed - {start}) & read else {}
        return found

    def _list_read(self, cell: Address, ends: Collection[Address]) -> set[Address]:
        """Return what a formula reads, directly or not, up to some cells."""
        found, waiting = set[Address](), [cell]
        while waiting:
            for reference in self.graph.shape(waiting.pop()).references:
                if reference not in found:
                    found.add(reference)
                    waiting += [reference] if reference in self.graph.places and reference not in ends else []
        return found

    def _score(self, iteration: Iteration, cell: Address) -> tuple[float, ...]:
        """Count the updates that follow a cell's derivatives."""
        judgement = judge(iteration, cell)
        # What rises evenly with a weight is no error.
        curved = {
            iteration.weights[w] for w, d in judgement.derivatives.items() if w in iteration.weights and _varies(d)
        }
        positive = Counter(float(f"{f:.9g}") for c, f in judgement.factors.items() if f > 0 and c in curved)
        reached = len(set(judgement.derivatives) & set(iteration.weights))
        is_copy = self.graph.copied(cell) != cell
        factor = positive.most_common(1)[0][0] if positive else 0.0
        # Behind a ReLU that is dead at most points a weight stays, as it should, and tells no factor.
        slopes = ((update, judgement.derivatives.get(w, np.zeros(1))) for update, w in iteration.updates.items())
        matching = sum(same(-iteration.steps[update], factor * slope) for update, slope in slopes) if factor else 0
        return matching, 0, reached, not is_copy, self.graph.places[cell]

    @cached_property
    def stride(self) -> tuple[int, int]:
        """By how many rows and columns an iteration is away from the one before."""
        steps: Counter[tuple[int, int]] = Counter()
        places = self._same_errors
        for level, cell in places.items():
            if level + 1 in places:
                steps[places[level + 1].row - cell.row, places[level + 1].column - cell.column] += 1
        return steps.most_common(1)[0][0] if steps else (0, 0)

    @property
    def is_sideways(self) -> bool:
        """Return whether iterations follow each other to the right."""
        return self.stride[0] == 0 and self.stride[1] != 0

    @cached_property
    def _same_errors(self) -> Mapping[int, Address]:
        """The cells of the same formula in the error's column, or in its row where that has more of them.

        A reference that is fixed makes each iteration's formula another one; they are alike without references.
        """
        assert self.error is not None
        holder, shape = self.graph.workbook.cell(self.error), self._shape(self.error)
        pattern = holder and holder.formula
        found = self._find_on_lines(lambda c: (h := self.graph.workbook.cell(c)) is not None and h.formula is pattern)
        return found if len(found) > 1 else self._find_on_lines(lambda cell: self._shape(cell) == shape)

    def _shape(self, cell: Address) -> str:
        return _REFERENCE.sub("#", self.graph.workbook.formula(cell) or "")

    def _find_on_lines(self, is_same: Callable[[Address], bool]) -> Mapping[int, Address]:
        """Return one cell of an iteration that is in the error's column, or in its row where there are more."""
        assert self.error is not None
        lines: tuple[dict[int, Address], ...] = {}, {}
        for level, cells in self.ends.items():
            for cell in cells:
                for found, place in zip(lines, (2, 1), strict=True):
                    if cell[place] == self.error[place] and cell.sheet == self.error.sheet and is_same(cell):
                        found.setdefault(level, cell)
        return max(lines, key=len)

    @cached_property
    def _chains(self) -> Mapping[Address, Chain]:
        training = self._extended[0] if self.last is not None else self.training
        return {cell: chain for chain in training.chains for cell in chain.cells}

    def shift(self, cell: Address, start: int, end: int) -> Address:
        """Return the cell that is in an iteration what another is in another one."""
        if cell in self._chains:
            cells = self._chains[cell].cells
            place = cells.index(cell) + end - start
            if 0 <= place < len(cells):
                return cells[place]
        return self._move(cell, end - start)

    def _move(self, cell: Address, iterations: int) -> Address:
        return move(cell, (iterations * self.stride[0], iterations * self.stride[1]))

    def error_in(self, level: int) -> Address:
        """Return the cell of the error in an iteration."""
        assert self.error is not None
        return self._same_errors.get(level) or self._move(self.error, level - self.sample)

    @cached_property
    def last(self) -> int | None:
        """The iteration that no update follows, if it has an error; its updates would be those before, filled on."""
        level = len(self.training.iterations)
        error = self.error_in(level)
        if self.graph.is_formula(error):
            return level
        # A number is typed over its error where the formulas that it should read are there.
        is_typed = isinstance(self.graph.typed(error), float)
        read = self.graph.shape(self.error_in(self.sample)).references
        there = (self._move(cell, level - self.sample) for cell in read)
        return level if is_typed and any(self.graph.is_formula(cell) for cell in there) else None

    @property
    def filled(self) -> Collection[Address]:
        """The cells in which those updates would stand."""
        return self._extended[1] if self.last is not None else ()

    @cached_property
    def _extended(self) -> tuple[Training, Mapping[Address, Formula]]:
        """The training with an update more, and the formulas of those."""
        chains, formulas, level = list[Chain](), dict[Address, Formula](), len(self.training.iterations)
        for chain in self.training.chains:
            *_, before, last = chain.cells
            place = Address(last.sheet, 2 * last.row - before.row, 2 * last.column - before.column)
            usual = self._find_usual(chain) if len(chain.cells) == level + 1 else None
            formula = None if usual is None else self._fill(usual, place)
            formulas |= {} if formula is None else {place: formula}
            chains.append(chain if formula is None else Chain((*chain.cells, place)))
        levels = {**self.training.levels, **dict.fromkeys(formulas, level + 1)}
        return replace(self.training, chains=tuple(chains), levels=levels), formulas

    def _find_usual(self, chain: Chain) -> Address | None:
        """Return an update of a weight with the formula that most have; None where each has another one."""
        formulas = [(cell, self.graph.workbook.cell(cell)) for cell in chain.cells[1:]]
        counts = Counter(holder and holder.formula for _, holder in formulas)
        formula, count = counts.most_common(1)[0]
        is_usual = count > 1 or len(formulas) < 3
        return next((c for c, holder in formulas if (holder and holder.formula) is formula), None) if is_usual else None

    def _fill(self, model: Address, place: Address) -> Formula | None:
        try:
            return self.graph.moved(model, place)
        except UnreadableError:
            return None

    def iterate(
        self, level: int, replaced: Mapping[Address, Formula | Floats] | None = None, *, is_actual: bool = False
    ) -> Iteration:
        """Compute an iteration, with other formulas or numbers in some cells."""
        error = self.error_in(level)
        # What other sheets make of the iterations, such as a check of their numbers, concerns no update.
        targets = (error, *(cell for cell in self.ends.get(level, ()) if cell.sheet == error.sheet))
        training, formulas = self._extended if level == self.last else (self.training, {})
        return Iteration(self.graph, training, level, targets, {**formulas, **(replaced or {})}, is_actual=is_actual)

    def judge(self, level: int, replaced: Mapping[Address, Formula | Floats] | None = None) -> Judgement:
        """Judge an iteration as it stands in the sheet, or with other formulas in some cells."""
        if replaced:
            return judge(self.iterate(level, replaced), self.error_in(level))
        if level not in self._judged:
            self._judged[level] = judge(self.iterate(level), self.error_in(level))
        return self._judged[level]

    @cached_property
    def groups(self) -> Sequence[Sequence[int]]:
        """Iterations whose formulas compute the same from their weights: most first, and late before early.

        The first iteration is often written in another way, such as without a momentum.
        """
        signatures = Signatures(self.graph, self.training, self.cells)
        found: dict[Hashable, list[int]] = defaultdict(list)
        for level in self.training.iterations:
            cells = (self.error_in(level), *self.training.updates(level))
            found[tuple(signatures.sign(cell, level) for cell in cells)].append(level)
        return sorted(found.values(), key=lambda levels: (-len(levels), -levels[0]))
