"""The cells at fault where an iteration's updates do not follow the error's derivatives.

A wrong update needs another gradient, that one perhaps another factor, and so on: as long as what a cell would have to
give is a derivative of the error, the cell is asked what it reads; where it is none, the cell itself is at fault.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from backprop.check.cells import Address, Rectangle
from backprop.check.functions import Floats
from backprop.check.iteration import POINTS, Iteration, same
from backprop.check.judgement import Judgement, judge

_MAX_FAULTS = 40


@dataclass(frozen=True)
class Fault:
    """A cell that computes something else than it has to."""

    cell: Address
    needed: Floats
    """What it has to give, one number a point."""


def find_wrong(judgement: Judgement, factors: Mapping[Address, float]) -> dict[Address, Floats]:
    """Return updates that are wrong, and what they have to give: w - factor · ∂E/∂w."""
    found, iteration = {}, judgement.iteration
    for update, weight in iteration.updates.items():
        needed = iteration.number(weight) - factors[update] * judgement.derivatives.get(weight, np.zeros(1))
        # Where there is no number at all, a cell before it is at fault.
        is_number = np.isfinite(needed).any() and np.isfinite(iteration.number(update)).any()
        if is_number and not same(iteration.number(update), needed):
            found[update] = needed
    return found


def find_lost(judgement: Judgement) -> set[Address]:
    """Return updates without a number where the error has a derivative: something is divided by a dead ReLU's 0."""
    iteration = judgement.iteration
    return {
        update
        for update, weight in iteration.updates.items()
        if np.any(np.isfinite(judgement.derivatives.get(weight, np.nan)) & ~np.isfinite(iteration.number(update)))
    }


@dataclass
class Blame:
    """The search for faults in one iteration."""

    judgement: Judgement
    error: Address
    factors: Mapping[Address, float]
    """What each update has to multiply the derivative by its weight with."""
    others: frozenset[Address] = frozenset()
    """The forward passes of the iterations before and after, which others rest on."""
    line: int = 2
    """What cells of one quantity share: the column, 2, or the row, 1, where iterations go to the right."""
    faults: list[Fault] = field(default_factory=list)

    def find(self) -> list[Fault]:
        """Find faults until, with the numbers that they need, every update is right."""
        for _ in range(_MAX_FAULTS):
            wrong = find_wrong(self.judgement, self.factors)
            if not wrong:
                break
            self._prepare(wrong)
            update = max(wrong, key=self._distance)
            fault = self._blame(update, wrong[update], frozenset())
            if any(fault.cell == known.cell for known in self.faults):
                fault = Fault(update, wrong[update])  # a cell cannot have two numbers
            self.faults = [known for known in self.faults if known.cell != fault.cell] + [fault]
            self._repeat()
        return self.faults

    @property
    def iteration(self) -> Iteration:
        """The iteration as it is, but for the faults found."""
        return self.judgement.iteration

    def _repeat(self) -> None:
        old = self.iteration
        replaced = {**old.replaced, **{fault.cell: fault.needed for fault in self.faults}}
        again = Iteration(old.graph, old.training, old.level, old.targets, replaced)
        self.judgement = judge(again, self.error)

    def _distance(self, update: Address) -> int:
        """Return how late an update's weight is read: what is wrong near the error is often read by the others too."""
        weight = self.iteration.updates[update]
        readers = (c for c in self.judgement.derivatives if weight in self.iteration.slopes(c))
        return max((self.iteration.cells.index(reader) for reader in readers), default=-1)

    def _prepare(self, wrong: Mapping[Address, Floats]) -> None:
        """Collect what right updates rest on, and the numbers that a step of backpropagation may have."""
        # The pass that follows reads the updates, right or wrong.
        self._trusted = {*self.judgement.derivatives, *self.others} - set(self.iteration.updates)
        for update in self.iteration.updates:
            if update not in wrong:
                self._trusted |= self._list_ancestors(update)
        self._trusted_numbers = {
            r for c in self._trusted & self.iteration.cells_set for r in self.iteration.references(c)
        }
        self._steps = _distinct(list(self._list_steps(self.judgement.derivatives)))
        for part in self.iteration.slopes(self.error):  # a batch's samples have errors of their own
            if part in self.iteration.cells_set:
                steps = list(self._list_steps(self.iteration.derivatives(part)))
                self._steps = np.concatenate([self._steps, _distinct(steps)])
        right = [self.iteration.number(c) for c in self._trusted if c not in self.judgement.derivatives]
        # Some write -∂E/∂w, or -η·∂E/∂w: what right cells do is what the others have to do.
        updates = [update for update in self.iteration.updates if update not in wrong]
        has_steps = not updates or any(self._adds_step(update) for update in updates)
        factors = (1.0, *set(self.factors.values())) if has_steps else (1.0,)
        scales = [sign * factor for sign in (1.0, -1.0) for factor in factors]
        used = [scale for scale in scales if any(self._is_step(r / scale) for r in right)]
        self._scales = used or scales

    def _adds_step(self, update: Address) -> bool:
        """Return whether an update adds a cell that holds the whole step."""
        slopes = (s for c, s in self.iteration.slopes(update).items() if c not in self.judgement.derivatives)
        return any(np.all(np.abs(slope) == 1) for slope in slopes)

    def _list_steps(self, derivatives: Mapping[Address, Floats]) -> Iterator[Floats]:
        """Yield what backpropagation multiplies on its way: derivatives, slopes, and products along the formulas."""
        for cell, derivative in derivatives.items():
            if cell in self.iteration.weights or np.ptp(derivative) > 0:
                yield derivative
            for reference, slope in self.iteration.slopes(cell).items():
                yield derivative * slope
                if np.ptp(slope) > 0:  # no ½ of an error, no 1 of a sum
                    yield slope
                for further in self.iteration.slopes(reference).values():
                    yield derivative * slope * further
                    if np.ptp(slope) > 0:
                        yield slope * further

    def _list_ancestors(self, cell: Address) -> set[Address]:
        found: set[Address] = set()
        waiting = [cell]
        while waiting:
            top = waiting.pop()
            if top in self.iteration.cells_set and top not in found:
                found.add(top)
                waiting += self.iteration.slopes(top)
        return found

    def _is_step(self, numbers: Floats) -> bool:
        known = np.isfinite(numbers)
        if known.sum() < 3 or not np.any(numbers[known]):
            return False
        with np.errstate(invalid="ignore"):
            distance = np.abs(self._steps[:, known] - numbers[known])
        return bool(np.any(np.all(distance <= 1e-9 * np.abs(numbers[known]) + 1e-13, axis=1)))

    def _is_any_step(self, numbers: Floats) -> bool:
        return any(self._is_step(numbers / scale) for scale in self._scales)

    def _is_innocent(self, cell: Address) -> bool:
        """Return whether a cell gives a derivative and only one formula reads it, which merely repeats it.

        So does a mean of one sample, where there are more.
        """
        readers = [c for c in self.iteration.cells if cell in self.iteration.slopes(c)]
        is_repeated = len(readers) == 1 and self._repeats(readers[0], cell) and not self._repeats(cell)
        return is_repeated and self._is_any_step(self.iteration.number(cell))

    def _repeats(self, cell: Address, source: Address | None = None) -> bool:
        """Return whether a formula gives what the one cell that it reads gives."""
        shape = self.iteration.graph.shape(cell)
        return len(shape.references) == 1 == len(shape.summands) and source in (None, shape.summands[0])

    def _blame(self, cell: Address, needed: Floats, seen: frozenset[Address]) -> Fault:
        """Return the fault that makes a cell give something else than what is needed."""
        wanted = list(self._find_needs(cell, needed))
        open_ones = [pair for pair in wanted if self._is_open(*pair) and pair[0] not in seen]
        for reference, number in wanted:
            others = self._find_others(cell, reference, number)
            # It should have read another cell: one beside that, or one that is computed from it.
            is_near = (o[self.line] == reference[self.line] or reference in self._list_ancestors(o) for o in others)
            if any(is_near) or (others and not open_ones):
                return Fault(cell, needed)
        for reference, number in open_ones:
            return self._blame(reference, number, seen | {cell})
        return Fault(cell, needed)

    def _is_open(self, cell: Address, number: Floats) -> bool:
        """Return whether a cell may be at fault: nothing right rests on it, and the number makes sense there."""
        if cell not in self.iteration.cells_set:  # a number that is typed where a formula belongs
            return cell not in self._trusted_numbers and self._is_any_step(number)
        return cell not in self._trusted and self._is_any_step(number) and not self._is_innocent(cell)

    def _find_needs(self, cell: Address, needed: Floats) -> Iterator[tuple[Address, Floats]]:
        """Yield what each cell that a formula reads would have to give, alone, for the formula to be right."""
        missing = needed - self.iteration.number(cell)
        for reference, slope in self.iteration.all_slopes(cell).items():
            with np.errstate(all="ignore"):
                number = self.iteration.number(reference) + missing / slope
            if np.isfinite(number).sum() >= 3:
                yield reference, number

    def _find_others(self, cell: Address, reference: Address, number: Floats) -> list[Address]:
        """Return cells that have the number which a formula needs of another one, and from which that is not computed.

        An update reads its own place of a matrix; if that has slipped, the number is in another of its cells.
        """
        others = {*self.iteration.cells, *self.iteration.weights} - self._list_ancestors(reference) - {reference}
        cells = sorted(others.difference(self.iteration.updates))
        found = [other for other in cells if same(self.iteration.number(other), number)]
        array = self._find_array(reference) if cell in self.iteration.updates else None
        return [other for other in found if array is None or self._find_array(other) != array]

    def _find_array(self, cell: Address) -> Rectangle | None:
        """Return the cells that an array formula fills together with a cell."""
        holder = self.iteration.graph.workbook.cell(cell)
        return None if holder is None else holder.array


def _distinct(numbers: list[Floats]) -> Floats:
    table = np.array([np.broadcast_to(number, POINTS) for number in numbers]).reshape(-1, POINTS)
    _, first = np.unique([[float(f"{n:.9g}") for n in row] for row in table], axis=0, return_index=True)
    return table[np.sort(first)]
