"""The updates of one iteration beside the error's derivatives: what each multiplies its derivative with."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from backprop.check.cells import Address
from backprop.check.functions import Floats
from backprop.check.iteration import POINTS, Iteration
from backprop.check.run import agree
from backprop.check.updates import Chain

_MIN_POINTS = 3
Rate = Address | float | None
"""The cell of η, the number that is typed in its place, or None where neither is plain to see."""


class Judgement(NamedTuple):
    """What an iteration's updates are, beside what they should be."""

    iteration: Iteration
    derivatives: Mapping[Address, Floats]
    """Of the error, by each cell that it depends on."""
    factors: Mapping[Chain, float]
    """What each update multiplies its derivative with, NaN where that is no constant: η, or η times a constant."""
    rates: Mapping[Chain, Rate]
    """Where an update takes η from."""


def judge(iteration: Iteration, error: Address) -> Judgement:
    """Compare each update with the error's derivative by its weight."""
    derivatives = iteration.derivatives(error)
    forward = set(derivatives)
    factors: dict[Chain, float] = {}
    rates: dict[Chain, Rate] = {}
    for update, weight in iteration.updates.items():
        chain = iteration.weights[weight]
        slope = np.asarray(derivatives.get(weight, 0.0)) * np.ones(POINTS)
        factors[chain] = find_factor(-iteration.steps[update], slope)
        rates[chain] = _find_rate_cell(iteration, update, forward, factors[chain])
        if rates[chain] is None:
            rates[chain] = _read_typed_rate(iteration, update)
    return Judgement(iteration, derivatives, factors, rates)


def find_factor(step: Floats, slope: Floats) -> float:
    """Return the constant that a derivative is multiplied with in a step; NaN where there is none, or it is 0."""
    known = np.isfinite(step) & np.isfinite(slope)
    step, slope = step[known], slope[known]
    steep = np.abs(slope) > 1e-9
    if not steep.any():
        # A weight that the error does not depend on, or not here: it has to stay.
        return 0.0 if len(step) >= _MIN_POINTS and agree(step, 0.0) else np.nan
    if steep.sum() < _MIN_POINTS:
        return np.nan
    factor = float(np.median(step[steep] / slope[steep]))
    return factor if factor and agree(step, factor * slope) else np.nan


def _find_rate_cell(iteration: Iteration, update: Address, forward: set[Address], factor: float) -> Address | None:
    """Return the constant cell that an update, or the step that it adds, reads: η, where there are more."""
    shared = {r for cell in forward & iteration.cells_set for r in iteration.references(cell)}
    steps = [c for c, s in iteration.slopes(update).items() if c in iteration.cells_set and np.all(np.abs(s) == 1)]
    for reader in (update, *(step for step in steps if step not in forward)):
        varying = iteration.slopes(reader)
        read = {iteration.graph.copied(r): r for r in iteration.references(reader) if r not in varying}
        found = [
            source for source, r in read.items() if source not in iteration.training.levels and not {source, r} & shared
        ]
        if found:
            alike = (cell for cell in found if agree(iteration.number(cell), factor))
            return next(alike, found[0])
    return None


def _read_typed_rate(iteration: Iteration, update: Address) -> float | None:
    """Return the number that an update multiplies the one cell of its gradient with."""
    shape = iteration.graph.shape(update)
    slopes = [shape.constants.get(r) for r in shape.references if r not in shape.summands or len(shape.references) < 2]
    return abs(slopes[0]) if len(slopes) == 1 and slopes[0] is not None else None
