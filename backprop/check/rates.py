"""Where a training's updates take η from, and what each has to multiply its derivative with."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from backprop.check.architecture import Architecture
from backprop.check.cells import Address
from backprop.check.judgement import Judgement, Rate
from backprop.check.training import Course


@dataclass
class Rates:
    """The rates of a training."""

    course: Course
    looked: Sequence[tuple[int, Sequence[int]]]
    """An iteration of each kind, and those for which it stands."""

    @cached_property
    def factor(self) -> float:
        """What the updates multiply η with: 1, but for sums that others average, and for a share of momentum."""
        counts: Counter[float] = Counter()
        for level, levels in self.looked:
            judgement = self.course.judge(level)
            for chain, factor in judgement.factors.items():
                value = self._value(judgement, judgement.rates[chain])
                if factor > 0 and value:
                    counts[float(f"{factor / value:.9g}")] += len(levels)
        most = counts.most_common(1)[0][0] if counts else 1.0
        judgement = self.course.judge(self.looked[0][0])
        samples = Architecture(judgement.iteration, judgement.derivatives).samples or 1
        usual = (samples, 1 / samples, *(1 - share for share in judgement.iteration.momentum.values()))
        return next((factor for factor in usual if math.isclose(factor, most, rel_tol=1e-6)), 1.0)

    @cached_property
    def rate(self) -> Rate:
        """Where most updates take η from, but a cell that some read before a number that more have typed."""
        counts: Counter[Rate] = Counter()
        for level, levels in self.looked:
            judgement = self.course.judge(level)
            for chain, rate in judgement.rates.items():
                is_right = judgement.factors[chain] > 0 and self._value(judgement, rate) != 0
                counts[rate] += len(levels) * (1000 if is_right else 1) if rate is not None else 0
        most = max(counts.values(), default=0)
        return max(counts, key=lambda r: (isinstance(r, Address) and counts[r] * 4 >= most, counts[r]), default=None)

    def _value(self, judgement: Judgement, rate: Rate) -> float:
        """Return a rate's number; where none is known, what most updates multiply their derivatives with."""
        if isinstance(rate, Address):
            return float(judgement.iteration.number(rate)[0])
        if rate is not None:
            return rate
        counts = Counter(float(f"{f:.9g}") for f in judgement.factors.values() if f > 0)
        return counts.most_common(1)[0][0] if counts else 1.0

    @cached_property
    def _usual_rates(self) -> Mapping[Address, Rate | str]:
        """Where each weight, by its first cell, mostly takes η from."""
        counts: dict[Address, Counter[Rate | str]] = defaultdict(Counter)
        for level, levels in self.looked:
            judgement = self.course.judge(level)
            for chain, rate in judgement.rates.items():
                counts[chain.cells[0]][_name_rate(judgement, rate)] += len(levels)
        usual = {start: "most" if "most" in n else n.most_common(1)[0][0] for start, n in counts.items()}
        # A typed number may be a layer's own if no iteration has another one.
        return {s: self.rate if isinstance(r, float) and len(counts[s]) > 1 else r for s, r in usual.items()}

    def expect(self, judgement: Judgement) -> dict[Address, float]:
        """Return what each update has to multiply its derivative with.

        A rate of its own is right for two weights or more that have it in all iterations, as those of a layer may;
        not a number that is typed where others read a cell.
        """
        found, sharing = {}, Counter(self._usual_rates.values())
        for update, weight in judgement.iteration.updates.items():
            chain = judgement.iteration.weights[weight]
            own, usual = judgement.rates[chain], self._usual_rates.get(chain.cells[0])
            is_own = _name_rate(judgement, own) == usual and (sharing[usual] > 1 or len(self._usual_rates) < 3)
            is_own &= isinstance(own, Address) or not isinstance(self.rate, Address)
            rate = own if is_own and own is not None and self._value(judgement, own) else self.rate
            found[update] = self.factor * self._value(judgement, rate)
        return found


def _name_rate(judgement: Judgement, rate: Rate) -> Rate | str:
    """Return a rate as it can be compared with those of other iterations, which may have a cell of their own."""
    usual = Counter(judgement.rates.values()).most_common(1)[0][0]
    return "most" if rate == usual and isinstance(rate, Address) else rate
