"""The faults of a training in all its iterations: found in one of each kind, and told for all that repeat it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import numpy as np

from backprop.check.blame import Blame, Fault, find_lost, find_wrong
from backprop.check.cells import Address
from backprop.check.findings import FORMULA, TYPED
from backprop.check.formulas import UnreadableError
from backprop.check.graph import Formula
from backprop.check.iteration import POINTS, Iteration, same
from backprop.check.judgement import Judgement
from backprop.check.rates import Rates
from backprop.check.run import is_rounded
from backprop.check.siblings import list_unlike
from backprop.check.training import Course

_MAX_GROUPS, _MAX_CHOICES = 60, 40


@dataclass(frozen=True)
class CellFault:
    """A wrong cell of the sheet."""

    fault: Fault
    """Itself, or the one of another iteration that it repeats."""
    level: int
    """The iteration of that one."""
    kind: str = FORMULA
    explanation: str = ""
    """What is to be said in place of the smallest change."""


@dataclass
class Faults:
    """What is wrong with a training."""

    course: Course
    found: dict[Address, CellFault] = field(default_factory=dict)
    unread: dict[Address, str] = field(default_factory=dict)
    compared: int = 0
    repaired: dict[int, Iteration] = field(default_factory=dict)
    """Iterations that were looked at, with what they need in the place of faults."""

    def __post_init__(self) -> None:
        groups, updates = self.course.groups, self.course.training.updates
        for levels in groups[_MAX_GROUPS:]:
            reason = "the formulas of this iteration are unlike those of the others: not compared"
            self.unread |= {update: reason for level in levels for update in updates(level)}
        looked = [(levels[0], levels) for levels in groups[:_MAX_GROUPS]]
        self.rates = Rates(self.course, looked)
        right = (level for level, _ in looked if not self._find_wrong(level))
        self.main = next(right, looked[0][0])
        looked += [(self.course.last, [self.course.last])] if self.course.last is not None else []
        for level, levels in sorted(looked, key=lambda item: item[0] != self.main):
            for cell, fault in self._blame(level).items():
                for member in levels:
                    self._add(self.course.shift(cell, level, member), fault)
            self._count(level, len(levels))

    # ---- one iteration of each kind

    def _find_wrong(self, level: int) -> set[Address]:
        return self._list_wrong(self.course.judge(level))

    def _list_wrong(self, judgement: Judgement) -> set[Address]:
        """Return the weights, by their first cells, whose updates are wrong."""
        iteration = judgement.iteration
        wrong = {*find_wrong(judgement, self.rates.expect(judgement)), *find_lost(judgement)}
        return {iteration.weights[iteration.updates[update]].cells[0] for update in wrong}

    def _blame(self, level: int) -> dict[Address, CellFault]:
        """Find the faults of an iteration: where it differs from the main one, else by what its updates need."""
        if level in self._blamed:
            return self._blamed[level]
        judgement, error = self.course.judge(level), self.course.error_in(level)
        found = ({} if level == self.main else self._compare(level)) or self._find_unlike(level)
        if not found:
            line = 1 if self.course.is_sideways else 2
            around = frozenset(
                self.course.shift(cell, level, level + side) for cell in judgement.derivatives for side in (1, -1)
            )
            blame = Blame(judgement, error, self.rates.expect(judgement), around, line)
            found = {fault.cell: self._tell(fault, level) for fault in blame.find()}
            self.repaired[level] = blame.iteration
        found |= self._find_other_shares(judgement.iteration, level)
        for update in judgement.iteration.updates:
            if isinstance(self.course.graph.typed(update), str) and not self.course.graph.is_formula(update):
                nothing = Fault(update, np.full(POINTS, np.nan))
                found[update] = CellFault(nothing, level, FORMULA, "a text stands where a formula belongs")
        iteration = self.repaired.get(level, judgement.iteration)
        used = self._list_used(iteration, level)
        for cell, reason in iteration.broken.items():
            if cell in used:
                found.setdefault(cell, CellFault(Fault(cell, np.full(POINTS, np.nan)), level, FORMULA, reason))
        if find_lost(judgement) and not found:
            words = "it has no number where the derivative is 0: it divides by 0"
            for cell in iteration.partial & used - set(judgement.derivatives):
                found[cell] = CellFault(Fault(cell, np.full(POINTS, np.nan)), level, FORMULA, words)
        self._blamed[level] = found
        return found

    def _find_unlike(self, level: int) -> dict[Address, CellFault]:
        """Find a cell of the forward pass that is unlike its siblings, and without which all updates are right."""
        choices = list_unlike(self.course.judge(level), self.course.error_in(level)) if self._find_wrong(level) else ()
        found = (cell for cell in islice(choices, _MAX_CHOICES) if self._fits(level, dict([cell]), set()))
        return next((self._tell_others(level, dict([cell])) for cell in found), {})

    def _find_other_shares(self, iteration: Iteration, level: int) -> dict[Address, CellFault]:
        """Momentum is the same share of the step before for all weights."""
        shares = self.course.judge(self.main).iteration.momentum or iteration.momentum
        usual = Counter(shares.values()).most_common(1)[0][0] if shares else 0.0
        return {
            cell: CellFault(
                Fault(cell, np.full(POINTS, np.nan)),
                level,
                FORMULA,
                f"the share of the step before is {share:g} here and {usual:g} elsewhere",
            )
            for cell, share in iteration.momentum.items()
            if not math.isclose(share, usual)
        }

    @cached_property
    def _blamed(self) -> dict[int, dict[Address, CellFault]]:
        return {}

    def _tell(self, fault: Fault, level: int) -> CellFault:
        """A typed number is held against the formula that stands there in other iterations."""
        cell = self.course.graph.workbook.cell(fault.cell)
        if cell is None:
            return CellFault(fault, level, FORMULA, "" if fault.cell in self.course.filled else "the cell is empty")
        if cell.formula is not None:
            return CellFault(fault, level)
        with suppress(UnreadableError):
            usual = self.course.graph.moved(self.course.shift(fault.cell, level, self.main), fault.cell)
            if usual is not None:
                return self._describe(fault.cell, self.course.iterate(level, {fault.cell: usual}), level, usual)
        return CellFault(fault, level, FORMULA, "a number is typed where a formula belongs")

    def _compare(self, level: int) -> dict[Address, CellFault]:
        """Find cells whose formulas differ from the main iteration's and make other updates wrong."""
        wrong, usual, old = self._find_wrong(level), self._find_wrong(self.main), self.course.judge(level).iteration
        broken = set(old.broken) & self._list_used(old, level)
        others = self._find_others(level)
        if wrong == usual and not broken:
            others = self._find_deviating(level, others)
        choices = (others, *({cell: formula} for cell, formula in others.items()))
        others = next((c for c in choices[:_MAX_CHOICES] if c and self._fits(level, c, usual)), {})
        if not others:
            return {}
        if wrong == usual and not broken:
            return self._tell_others(level, others)
        for cell in list(others):
            rest = {other: formula for other, formula in others.items() if other != cell}
            if rest and self._fits(level, rest, usual):
                others = rest
        found = self._tell_others(level, others)
        for cell, fault in self._blame(self.main).items():
            found.setdefault(self.course.shift(cell, self.main, level), fault)
        return found

    def _tell_others(self, level: int, others: Mapping[Address, Formula]) -> dict[Address, CellFault]:
        self.repaired[level] = self.course.iterate(level, others)
        return {cell: self._describe(cell, self.repaired[level], level, others[cell]) for cell in others}

    def _find_deviating(self, level: int, others: Mapping[Address, Formula]) -> dict[Address, Formula]:
        """Return formulas of the forward pass that leave what nearly all iterations have, and change the error.

        The gradients may agree with them; but nobody means one row to be another network.
        """
        old = self.course.judge(level).iteration
        forward = {self.course.shift(cell, self.main, level) for cell in self.course.judge(self.main).derivatives}
        found = dict[Address, Formula]()
        for cell, formula in others.items():
            if cell in forward and self._is_rare(cell, level):
                new = self.course.iterate(level, {cell: formula})
                found |= {} if same(old.number(cell), new.number(cell)) else {cell: formula}
        return found

    def _is_rare(self, cell: Address, level: int) -> bool:
        """Return whether nearly all iterations have the main one's formula in a cell's place."""
        holders = {n: self.course.graph.workbook.cell(self.course.shift(cell, level, n)) for n in self._levels}
        formulas = {n: holder and holder.formula for n, holder in holders.items()}
        counts = Counter(formulas.values())
        usual = counts[formulas[self.main]]
        return usual >= 2 * counts[formulas[level]] and 2 * usual >= len(self.course.training.iterations)

    @property
    def _levels(self) -> Sequence[int]:
        return (*self.course.training.iterations, *(() if self.course.last is None else (self.course.last,)))

    def _fits(self, level: int, formulas: Mapping[Address, Formula], usual: set[Address]) -> bool:
        """Return whether an iteration with other formulas in some cells is as the main one is."""
        judgement = self.course.judge(level, formulas)
        used = self._list_used(judgement.iteration, level)
        return self._list_wrong(judgement) == usual and not used.intersection(judgement.iteration.broken)

    def _find_others(self, level: int) -> dict[Address, Formula]:
        """Return cells that hold something else than the main iteration's, and what its formulas would be there."""
        workbook, found = self.course.graph.workbook, dict[Address, Formula]()
        updates = self.course.judge(level).iteration.updates
        for cell in self.course.judge(self.main).iteration.cells:
            place = self.course.shift(cell, self.main, level)
            first, holder = workbook.cell(cell), workbook.cell(place)
            if first is None or (holder is not None and holder.formula is first.formula):
                continue
            with suppress(UnreadableError):
                formula = self.course.graph.moved(cell, place)
                if formula is not None and not (level == self.course.last and place in updates):
                    found[place] = formula
        return found

    def _describe(self, cell: Address, repaired: Iteration, level: int, usual: Formula) -> CellFault:
        """A typed number may be what the formula gives, to its rounding, with the sheet's own numbers."""
        fault, holder = Fault(cell, repaired.number(cell)), self.course.graph.workbook.cell(cell)
        if holder is None:
            return CellFault(fault, level, FORMULA, "the cell is empty")
        if holder.formula is not None:
            return CellFault(fault, level)
        actual = self.course.iterate(level, {cell: usual}, is_actual=True).number(cell)[0]
        if isinstance(holder.value, float) and is_rounded(holder.value, float(actual)):
            return CellFault(fault, level, TYPED, "a number is typed where a formula belongs")
        words = "a number is typed where a formula belongs, and it is not what the row gives"
        return CellFault(fault, level, FORMULA, words)

    # ---- all iterations

    def _add(self, cell: Address, fault: CellFault) -> None:
        if cell not in self.course.filled:
            self.found.setdefault(cell, fault)

    def _count(self, level: int, members: int) -> None:
        iteration = self.course.judge(level).iteration
        used = self._list_used(iteration, level)
        self.compared += len([cell for cell in used if cell in self.course.graph.places]) * members
        self.unread |= {cell: reason for cell, reason in iteration.unread.items() if cell in used}

    def _list_used(self, iteration: Iteration, level: int) -> set[Address]:
        waiting, found = [self.course.error_in(level), *iteration.updates], set[Address]()
        while waiting:
            cell = waiting.pop()
            if cell in iteration.cells_set and cell not in found:
                found.add(cell)
                waiting += iteration.references(cell)
        return found

    @property
    def judgement(self) -> Judgement:
        """The judgement of the main iteration."""
        return self.course.judge(self.main)
