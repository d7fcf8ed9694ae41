"""What the learning rate does to the error, computed from the runs and never assumed."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backprop.network import SHEET_ITERATIONS, SHEET_LEARNING_RATES
from backprop.part1 import Part1
from reports.formats import short


@dataclass(frozen=True)
class Limits:
    """Where the words for a run begin to apply; the page's script gets them too."""

    rounding: float = 1e-24
    """Below this share of the initial error, what is left is rounding, and its ups and downs mean nothing."""
    still: float = 1e-6
    """An update that changes the error by at most this share of it leaves it where it is."""
    left: float = 0.01
    """A run is stuck only where more than this share of the initial error is left."""


LIMITS = Limits()
_SAME_PATH = 1.25
"""Distances whose ratio is at most this are nearly the same."""


@dataclass(frozen=True)
class LearningCurve:
    """The total error of one run, iteration by iteration."""

    learning_rate: float
    errors: tuple[float, ...]
    """NaN from the iteration on in which the class formula overflows."""
    halved_at: int | None
    """The first iteration with at most half the initial error, if there is one among those searched."""
    overflow: int | None

    @property
    def label(self) -> str:
        """Return the run's label, its learning rate."""
        return f"η\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{short(self.learning_rate)}"

    @property
    def picture(self) -> str:
        """Return the file name, without its ending, of the picture of this run alone."""
        return f"error-eta-{self.learning_rate:.12g}"

    @property
    def first(self) -> float:
        """Return the initial error."""
        return self.errors[0]

    @property
    def final(self) -> float:
        """Return the last error, NaN after an overflow."""
        return self.errors[-1]

    @property
    def share(self) -> float:
        """Return the last error as a share of the initial one."""
        return self.final / self.first if self.first else math.nan

    @property
    def diverges(self) -> bool:
        """Return whether the run ends with a larger error than it began with."""
        return self.final > self.first

    @property
    def vanished_at(self) -> int | None:
        """Return the iteration from which on nothing but rounding is left of the error, if there is one."""
        vanished = np.flatnonzero(np.array(self.errors) <= LIMITS.rounding * self.first)
        return int(vanished[0]) if vanished.size else None

    @property
    def rises(self) -> int:
        """Count the iterations that end with a larger error than they began with."""
        errors = np.array(self.errors)
        return int(np.sum((np.diff(errors) > 0) & (errors[1:] > LIMITS.rounding * self.first)))

    @property
    def stuck_at(self) -> int | None:
        """Return the iteration from which the error stays where it is although much of it is left, if there is one."""
        errors = np.array(self.errors)
        last_change = np.flatnonzero(abs(np.diff(errors)) > LIMITS.still * errors[:-1])
        since = int(last_change[-1]) + 1 if last_change.size else 0
        return since if since < len(errors) // 2 and self.share > LIMITS.left else None

    @property
    def decreases(self) -> bool:
        """Return whether the error decreases in every iteration, until nothing but rounding is left."""
        errors = np.array(self.errors)
        return self.first > 0 and bool(np.all((np.diff(errors) < 0) | (errors[1:] <= LIMITS.rounding * self.first)))


@dataclass(frozen=True)
class Halving:
    """How long the runs take to halve the error; a distance is learning rate times iterations."""

    slowest: LearningCurve
    fastest: LearningCurve
    shortest: float
    longest: float

    @property
    def follows_one_path(self) -> bool:
        """Return whether all runs travel nearly the same distance."""
        return self.longest <= _SAME_PATH * self.shortest


@dataclass(frozen=True)
class Comparison:
    """Runs that differ in their learning rate alone, slowest first."""

    curves: tuple[LearningCurve, ...]
    iterations: int
    asked: tuple[float, ...]
    """The learning rates that the exercise asks for; a curve more is the reader's own."""

    def ratio(self, curve: LearningCurve) -> float:
        """Divide the final error by that of the smallest learning rate."""
        return curve.final / self.curves[0].final if self.curves[0].final else math.nan

    @property
    def complete(self) -> tuple[LearningCurve, ...]:
        """Return the runs that do not overflow."""
        return tuple(curve for curve in self.curves if curve.overflow is None)

    @property
    def is_ordered(self) -> bool:
        """Return whether every larger learning rate ends with a smaller error, overflows left out."""
        return all(slow.final > fast.final for slow, fast in pairwise(self.complete))

    @property
    def lowest(self) -> LearningCurve:
        """Return the run with the smallest final error."""
        return min(self.complete, key=lambda curve: curve.final)

    @property
    def fastest(self) -> LearningCurve | None:
        """Return the complete run with the largest learning rate, None where it has no ratio to the slowest."""
        others = [curve for curve in self.complete if curve is not self.curves[0]]
        return others[-1] if others and math.isfinite(self.ratio(others[-1])) else None

    @property
    def halving(self) -> Halving | None:
        """Compare how long the runs take to halve the error; None where fewer than two do."""
        halved = [curve for curve in self.complete if curve.halved_at]
        distances = [curve.learning_rate * (curve.halved_at or 0) for curve in halved]
        return Halving(halved[0], halved[-1], min(distances), max(distances)) if len(halved) > 1 else None

    @property
    def all_decrease(self) -> bool:
        """Return whether the error decreases in every iteration of every run."""
        return all(curve.overflow is None and curve.decreases for curve in self.curves)


def compare_learning_rates(part1: Part1) -> Comparison:
    """Read the error curve of every learning rate."""
    curves = map(_curve, part1.learning_rates, part1.errors)
    return Comparison(tuple(curves), SHEET_ITERATIONS, SHEET_LEARNING_RATES)


def _curve(rate: float, errors: NDArray[np.float64]) -> LearningCurve:
    halved = np.flatnonzero(errors <= errors[0] / 2)
    overflow = np.flatnonzero(~np.isfinite(errors[:SHEET_ITERATIONS]))
    return LearningCurve(
        rate,
        tuple(errors[:SHEET_ITERATIONS].tolist()),
        int(halved[0]) if halved.size else None,
        int(overflow[0]) if overflow.size else None,
    )
