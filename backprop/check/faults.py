"""The faults of a training in all its iterations: found in one of each kind, and told for all that repeat it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backprop.check.blame import Blame, Fault, find_wrong
from backprop.check.cells import Address, Cell
from backprop.check.findings import FORMULA, TYPED
from backprop.check.formulas import Tree, UnreadableError
from backprop.check.iteration import Iteration, same
from backprop.check.run import is_rounded
from backprop.check.training import Course, Judgement, Rate, judge
from backprop.check.updates import Chain

_MAX_GROUPS = 60


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
        groups = self.course.groups
        for levels in groups[_MAX_GROUPS:]:
            reason = "the formulas of this iteration are unlike those of the others: not compared"
            self.unread |= {update: reason for level in levels for update in self.course.training.updates(level)}
        looked = [(levels[0], levels) for levels in groups[:_MAX_GROUPS]]
        right = (level for level, _ in looked if not self._find_wrong(level))
        self.main = next(right, looked[0][0])
        self._blame(self.main)
        for level, levels in looked:
            faults = self._blame(level)
            for member in levels:
                for cell, fault in faults.items():
                    self._add(self.course.shift(cell, level, member), fault)
            self._count(level, len(levels))
        self._look_at_last()

    # ---- η

    @cached_property
    def factor(self) -> float:
        """What most updates multiply η with: 1 where gradients are the error's derivatives."""
        counts: Counter[float] = Counter()
        for levels in self.course.groups[:_MAX_GROUPS]:
            judgement = self.course.judge(levels[0])
            for chain, factor in judgement.factors.items():
                value = self._value(judgement, judgement.rates[chain])
                if factor > 0 and value:
                    counts[float(f"{factor / value:.9g}")] += len(levels)
        return counts.most_common(1)[0][0] if counts else 1.0

    @cached_property
    def rate(self) -> Rate:
        """Where most updates take η from."""
        counts: Counter[Rate] = Counter()
        for levels in self.course.groups[:_MAX_GROUPS]:
            for rate in self.course.judge(levels[0]).rates.values():
                counts[rate] += len(levels) if rate is not None else 0
        return counts.most_common(1)[0][0] if counts else None

    def _value(self, judgement: Judgement, rate: Rate) -> float:
        """Return a rate's number; where none is known, what most updates multiply their derivatives with."""
        if isinstance(rate, Address):
            return float(judgement.iteration.number(rate)[0])
        if rate is not None:
            return rate
        counts = Counter(float(f"{f:.9g}") for f in judgement.factors.values() if f > 0)
        return counts.most_common(1)[0][0] if counts else 1.0

    def _expect_factors(self, judgement: Judgement) -> dict[Address, float]:
        """Return what each update has to multiply its derivative with; a rate of its own is right for two or more."""
        iteration, counts = judgement.iteration, Counter(judgement.rates.values())
        found = {}
        for update, weight in iteration.updates.items():
            own = judgement.rates[iteration.weights[weight]]
            is_shared = counts[own] > 1 or len(counts) == len(judgement.rates) < 3
            rate = own if is_shared and self._value(judgement, own) else self.rate
            found[update] = self.factor * self._value(judgement, rate)
        return found

    def _find_wrong(self, level: int) -> set[Chain]:
        judgement = self.course.judge(level)
        return self._list_wrong(judgement)

    def _list_wrong(self, judgement: Judgement) -> set[Chain]:
        iteration = judgement.iteration
        wrong = find_wrong(judgement, self._expect_factors(judgement))
        return {iteration.weights[iteration.updates[update]] for update in wrong}

    # ---- one iteration of each kind

    def _blame(self, level: int) -> dict[Address, CellFault]:
        """Find the faults of an iteration: where it differs from the main one, else by what its updates need."""
        if level in self._blamed:
            return self._blamed[level]
        judgement, error = self.course.judge(level), self.course.error_in(level)
        found = {} if level == self.main else self._compare(level)
        if not found:
            blame = Blame(judgement, error, self._expect_factors(judgement))
            found = {fault.cell: CellFault(fault, level) for fault in blame.find()}
            self.repaired[level] = blame.iteration
        self._blamed[level] = found
        return found

    @cached_property
    def _blamed(self) -> dict[int, dict[Address, CellFault]]:
        return {}

    def _compare(self, level: int) -> dict[Address, CellFault]:
        """Find cells whose formulas differ from the main iteration's and make other updates wrong."""
        wrong, usual = self._find_wrong(level), self._find_wrong(self.main)
        if not wrong or wrong == usual:
            return {}
        others = self._find_others(level)
        if not others or self._list_wrong(self._replace(level, others)) != usual:
            return {}
        for cell in list(others):
            rest = {other: formula for other, formula in others.items() if other != cell}
            if self._list_wrong(self._replace(level, rest)) == usual:
                others = rest
        repaired = self._replace(level, others).iteration
        self.repaired[level] = repaired
        found = {cell: self._describe(cell, repaired, level, others[cell]) for cell in others}
        for fault in self._blame(self.main).values():
            cell = self.course.shift(fault.fault.cell, self.main, level)
            found.setdefault(cell, fault)
        return found

    def _find_others(self, level: int) -> dict[Address, Tree]:
        """Return cells that hold something else than the main iteration's, and what its formulas would be there."""
        workbook, formulas = self.course.graph.workbook, self.course.graph.formulas
        found: dict[Address, Tree] = {}
        for cell in self.course.judge(self.main).iteration.cells:
            place = self.course.shift(cell, self.main, level)
            first, holder = workbook.cell(cell), workbook.cell(place)
            if first is None or first.formula is None or (holder is not None and holder.formula is first.formula):
                continue
            try:
                origin = _find_origin(place, holder)
                found[place] = formulas.parse(first.formula.text(origin.row, origin.column), origin)
            except UnreadableError:
                continue
        return found

    def _replace(self, level: int, formulas: Mapping[Address, Tree]) -> Judgement:
        old = self.course.judge(level).iteration
        return judge(
            Iteration(old.graph, old.training, level, old.targets, dict(formulas)), self.course.error_in(level)
        )

    def _describe(self, cell: Address, repaired: Iteration, level: int, usual: Tree) -> CellFault:
        """A typed number may be what the formula gives, to its rounding, with the sheet's own numbers."""
        fault, holder = Fault(cell, repaired.number(cell), usual=usual), self.course.graph.workbook.cell(cell)
        if holder is None:
            return CellFault(fault, level, FORMULA, "the cell is empty")
        if holder.formula is not None:
            return CellFault(fault, level)
        old = self.course.judge(level).iteration
        actual = Iteration(old.graph, old.training, level, old.targets, {cell: usual}, is_actual=True).number(cell)[0]
        if isinstance(holder.value, float) and is_rounded(holder.value, float(actual)):
            return CellFault(fault, level, TYPED, "a number is typed where a formula belongs")
        words = "a number is typed where a formula belongs, and it is not what the row gives"
        return CellFault(fault, level, FORMULA, words)

    # ---- all iterations

    def _add(self, cell: Address, fault: CellFault) -> None:
        self.found.setdefault(cell, fault)

    def _count(self, level: int, members: int) -> None:
        iteration = self.course.judge(level).iteration
        used = self._list_used(iteration, level)
        self.compared += len(used) * members
        self.unread |= {cell: reason for cell, reason in iteration.unread.items() if cell in used}

    def _list_used(self, iteration: Iteration, level: int) -> set[Address]:
        waiting, found = [self.course.error_in(level), *iteration.updates], set[Address]()
        while waiting:
            cell = waiting.pop()
            if cell in iteration.cells_set and cell not in found:
                found.add(cell)
                waiting += iteration.references(cell)
        return found

    def _look_at_last(self) -> None:
        """The last iteration has no update: its formulas have to be those of the iterations before."""
        level = len(self.course.training.iterations)
        workbook = self.course.graph.workbook
        for known, fault in self._blame(self.main).items():
            cell = self.course.shift(known, self.main, level)
            holder, first = workbook.cell(cell), workbook.cell(known)
            is_new = cell != known and cell not in self.course.training.updates(level - 1)
            if is_new and holder is not None and first is not None and holder.formula is first.formula:
                self._add(cell, fault)
        targets = tuple(self.course.ends.get(level, ()))
        iteration = Iteration(self.course.graph, self.course.training, level, targets)
        for cell, usual in self._find_others(level).items():
            if cell in iteration.cells_set and cell not in self.found:
                repaired = Iteration(self.course.graph, self.course.training, level, targets, {cell: usual})
                if not same(repaired.number(cell), iteration.number(cell)):
                    self.repaired[level] = repaired
                    self._add(cell, self._describe(cell, repaired, level, usual))
        self.compared += len(iteration.cells)

    @property
    def judgement(self) -> Judgement:
        """The judgement of the main iteration."""
        return self.course.judge(self.main)


def _find_origin(cell: Address, holder: Cell | None) -> Address:
    is_array = holder is not None and holder.array is not None
    return Address(cell.sheet, holder.array.top, holder.array.left) if is_array else cell  # type: ignore[union-attr]
