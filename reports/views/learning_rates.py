"""What the learning rate does, read from the numbers of the runs and never assumed."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backprop.derivation import Derivation
from backprop.network import Preset
from backprop.simulate import simulate_errors
from reports import formats
from reports.formats import counted, percent, short, significant

SEARCHED_ITERATIONS = 2000
"""How far to look for the iteration at which the error has halved."""


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


@dataclass(frozen=True)
class Curve:
    """The error of one run, iteration by iteration."""

    learning_rate: float
    errors: tuple[float, ...]
    """NaN from the iteration on in which the class formula overflows."""
    halved_at: int | None
    """The first iteration with at most half the initial error, if there is one among those searched."""
    overflow: int | None

    @property
    def label(self) -> str:
        """Name the run by its learning rate."""
        return f"η\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{short(self.learning_rate)}"

    @property
    def picture(self) -> str:
        """Name the picture of this run alone, without what a file name should not have."""
        return f"error-eta-{self.learning_rate:.12g}"

    @property
    def first(self) -> float:
        """Give the initial error."""
        return self.errors[0]

    @property
    def final(self) -> float:
        """Give the last error, NaN after an overflow."""
        return self.errors[-1]

    @property
    def share(self) -> float:
        """Give the last error as a share of the initial one."""
        return self.final / self.first if self.first else math.nan

    @property
    def gone_at(self) -> int | None:
        """Give the iteration from which on nothing but rounding is left of the error, if there is one."""
        gone = np.flatnonzero(np.array(self.errors) <= LIMITS.rounding * self.first)
        return int(gone[0]) if gone.size else None

    @property
    def rises(self) -> int:
        """Count the iterations that end with a larger error than they began with."""
        errors = np.array(self.errors)
        return int(np.sum((np.diff(errors) > 0) & (errors[1:] > LIMITS.rounding * self.first)))

    @property
    def stuck_at(self) -> int | None:
        """Give the iteration from which the error stays where it is although much of it is left, if there is one."""
        errors = np.array(self.errors)
        last_change = np.flatnonzero(abs(np.diff(errors)) > LIMITS.still * errors[:-1])
        since = int(last_change[-1]) + 1 if last_change.size else 0
        return since if since < len(errors) // 2 and self.share > LIMITS.left else None

    @property
    def falls(self) -> bool:
        """Tell whether the error becomes smaller in every iteration, until nothing but rounding is left."""
        errors = np.array(self.errors)
        return self.first > 0 and bool(np.all((np.diff(errors) < 0) | (errors[1:] <= LIMITS.rounding * self.first)))


@dataclass(frozen=True)
class Comparison:
    """Runs that differ in their learning rate alone, slowest first."""

    curves: tuple[Curve, ...]
    iterations: int
    asked: tuple[float, ...]
    """The learning rates that the exercise asks for; a curve more is the reader's own."""

    def ratio(self, curve: Curve) -> float:
        """Hold the final error against that of the smallest learning rate."""
        return curve.final / self.curves[0].final if self.curves[0].final else math.nan

    @property
    def reading(self) -> tuple[str, ...]:
        """Say in sentences what the curves show."""
        whole = [curve for curve in self.curves if curve.overflow is None]
        sentences = [
            *_final_errors(whole, self.iterations),
            *_against_the_slowest(whole, self.curves[0]),
            *_halving(whole),
            *_trouble(self.curves),
        ]
        return tuple(sentences)


def compare(
    derivation: Derivation, preset: Preset, rates: tuple[float, ...], asked: tuple[float, ...], iterations: int
) -> Comparison:
    """Run the network once for each learning rate."""
    errors = simulate_errors(derivation, preset, rates, max(iterations, SEARCHED_ITERATIONS))
    curves = (_curve(rate, row, iterations) for rate, row in zip(rates, errors, strict=True))
    return Comparison(tuple(curves), iterations, asked)


def _curve(rate: float, errors: NDArray[np.float64], iterations: int) -> Curve:
    halved = np.flatnonzero(errors <= errors[0] / 2)
    overflow = np.flatnonzero(~np.isfinite(errors[:iterations]))
    return Curve(
        rate,
        tuple(errors[:iterations].tolist()),
        int(halved[0]) if halved.size else None,
        int(overflow[0]) if overflow.size else None,
    )


def _final_errors(curves: list[Curve], iterations: int) -> list[str]:
    if len(curves) < 2:
        return []
    slow, fast = curves[0], curves[-1]
    ordered = all(a.final > b.final for a, b in pairwise(curves))
    order = (
        "Within this range, every larger η ends with a smaller error."
        if ordered
        else f"A larger η does not always end lower here: the smallest final error belongs to "
        f"{min(curves, key=lambda curve: curve.final).label}."
    )
    return [
        f"After {iterations - 1} updates {slow.label} has {percent(slow.share, 1)} of the initial "
        f"error left, {fast.label} has {_share(fast.share)}. {order}"
    ]


def _share(share: float) -> str:
    if share < 1e-8:
        return "less than a millionth of a percent"
    return percent(share, 1) if share >= 0.001 else formats.share(share, 2)


def _against_the_slowest(curves: list[Curve], slowest: Curve) -> list[str]:
    fast = curves[-1] if curves else slowest
    if fast is slowest or not math.isfinite(slowest.final) or not slowest.final:
        return []
    ratio = significant(fast.final / slowest.final, 3)
    return [
        f"{fast.label} ends at {significant(fast.final, 4)}, which is {ratio} times "
        f"the {significant(slowest.final, 4)} at which {slowest.label} ends."
    ]


def _halving(curves: list[Curve]) -> list[str]:
    done = [curve for curve in curves if curve.halved_at]
    if len(done) < 2:
        return []
    slow, fast = done[0], done[-1]
    travelled = [curve.learning_rate * (curve.halved_at or 0) for curve in done]
    low, high = min(travelled), max(travelled)
    sentence = (
        f"To halve the error, {slow.label} needs {slow.halved_at} iterations and {fast.label} needs {fast.halved_at}. "
    )
    if high <= 1.25 * low:
        return [
            sentence
            + f"Learning rate times iterations is nearly the same each time, between {significant(low, 3)} and "
            f"{significant(high, 3)}: the runs follow almost one path down the error surface, and η only sets "
            "how far each step goes along it."
        ]
    return [
        sentence + f"Learning rate times iterations lies between {significant(low, 3)} and {significant(high, 3)}: "
        "larger steps do not simply follow the same path faster here."
    ]


def _trouble(curves: tuple[Curve, ...]) -> list[str]:
    whole = [curve for curve in curves if curve.overflow is None]
    worse = [curve for curve in whole if curve.final > curve.first]
    still = [curve for curve in whole if curve.stuck_at == 0]
    stuck = [curve for curve in whole if curve.stuck_at]
    uneasy = [curve for curve in whole if curve.rises and curve not in worse]
    sentences = [
        f"{curve.label} overflows: from iteration {curve.overflow} on the class formula can’t be computed any "
        "more, and the sheet shows #NUM! there."
        for curve in curves
        if curve.overflow is not None
    ]
    sentences += [f"{curve.label} diverges: the last error is larger than the first." for curve in worse]
    sentences += [
        f"{curve.label} hardly moves: no update changes the error by more than a millionth of it." for curve in still
    ]
    sentences += [
        f"{curve.label} is stuck from iteration {curve.stuck_at} on, with {_left(curve.share)}: "
        "a step that long drives the neurons into the flat ends of the sigmoid, where the slope is practically 0, so "
        "no gradient comes back."
        for curve in stuck
    ]
    sentences += [
        f"{curve.label} does not fall steadily: the error rises in {counted(curve.rises, 'iteration')}."
        for curve in uneasy
    ]
    if all(curve.overflow is None and curve.falls for curve in curves):
        sentences.append(
            f"None of these runs diverges: the error falls in every iteration, even at {curves[-1].label}. "
            "That is a fact about this small network, not a rule: where the error surface bends more sharply, steps "
            "this long overshoot."
        )
        sentences += [
            f"From iteration {curve.gone_at} on nothing but rounding is left of the error at {curve.label}."
            for curve in curves
            if curve.gone_at is not None
        ]
    return sentences


def _left(share: float) -> str:
    return (
        f"the error at {significant(share, 3)} times its first value"
        if share > 1
        else f"{_share(share)} of the error left"
    )
