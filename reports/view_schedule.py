"""What the page says about the learning rate of a training run, step by step, from the recipe's own function."""

import math
from dataclasses import dataclass
from itertools import pairwise

from mnist.history import History
from mnist.recipe import STEPS, Recipe
from reports.formats import fixed, short, significant, times

TRAINING_IMAGES = 60_000
"""What a run that is no hold-out trains on; `reports.inputs` refuses the others."""
_POINTS, _LEAST_POINTS = 240, 16
"""Steps drawn of a run and at least of each epoch: a smooth curve; an epoch's first and last step are among them."""


@dataclass(frozen=True)
class ScheduleRow:
    """The learning rate of one epoch."""

    epoch: int
    first: float
    highest: float
    last: float
    recorded: float | None
    """What the run wrote down after the epoch; None for an epoch that it has not done."""


@dataclass(frozen=True)
class ScheduleView:
    """The learning rate over a whole run."""

    epochs: int
    steps_per_epoch: int
    curve: tuple[tuple[float, float], ...]
    """(epochs done after the step, learning rate of the step)."""
    rows: tuple[ScheduleRow, ...]
    averaged_from: float | None
    """Epochs done when averaging of the weights begins; None where it never does."""
    words: str
    muon: str
    """What the kernels' own rate does, a sentence; empty where they have none."""


def view_schedule(history: History) -> ScheduleView:
    """Compute the schedule of a run from its recipe, and set what the run recorded beside it."""
    recipe = history.recipe
    steps = math.ceil(TRAINING_IMAGES / recipe.batch_size)
    recorded = {record.epoch: record.learning_rate for record in history.epochs}
    rows = tuple(_row(recipe, epoch, steps, recorded.get(epoch)) for epoch in range(1, recipe.epochs + 1))
    return ScheduleView(
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        curve=_curve(recipe, steps),
        rows=rows,
        averaged_from=recipe.averaging_start * recipe.epochs if recipe.averaging_start < 1 else None,
        words=_falls(rows) if recipe.schedule == STEPS else _arc(recipe, steps),
        muon=_muon(recipe),
    )


def learning_rate_text(rate: float) -> str:
    """Spell a learning rate of a schedule."""
    return fixed(rate, 5) if rate >= 1e-4 else significant(rate, 3)


def _row(recipe: Recipe, epoch: int, steps: int, recorded: float | None) -> ScheduleRow:
    rates = [recipe.learning_rate_at(step, steps) for step in range((epoch - 1) * steps, epoch * steps)]
    return ScheduleRow(epoch, rates[0], max(rates), rates[-1], recorded)


def _curve(recipe: Recipe, steps: int) -> tuple[tuple[float, float], ...]:
    """Take some steps of each epoch: two neighbours at each border, so that a fall between epochs is upright."""
    points = max(_LEAST_POINTS, _POINTS // recipe.epochs)
    within = sorted({round(place * (steps - 1) / (points - 1)) for place in range(points)})
    chosen = [epoch * steps + step for epoch in range(recipe.epochs) for step in within]
    return tuple(((step + 1) / steps, recipe.learning_rate_at(step, steps)) for step in chosen)


def _arc(recipe: Recipe, steps: int) -> str:
    total = recipe.epochs * steps
    rates = [recipe.learning_rate_at(step, steps) for step in range(total)]
    top = rates.index(max(rates))
    highest, done = significant(rates[top], 3), significant((top + 1) / steps, 2)
    rise = f"rises from {short(rates[0])} to {highest} in the first {done} epochs" if top else f"begins with {highest}"
    return f"η {rise} and falls to {significant(rates[-1], 2)} in the last of {total:,} steps."


def _falls(rows: tuple[ScheduleRow, ...]) -> str:
    """Say after which epochs a rate that is constant within each of them falls."""
    falls = [before.epoch for before, after in pairwise(rows) if after.first < before.last]
    if not falls:
        return f"η is {short(rows[0].first)} throughout."
    return (
        f"η falls {times(len(falls))}, {'first ' if len(falls) > 1 else ''}after epoch {falls[0]}: "
        f"from {short(rows[0].first)} to {significant(rows[-1].last, 3)}."
    )


def _muon(recipe: Recipe) -> str:
    if not recipe.muon_rate:
        return ""
    return (
        f"The convolutions’ kernels have a rate of their own (Muon), of the same shape, which is "
        f"{short(recipe.muon_rate)} at its highest."
    )
