"""The learning rate of a training run, step by step, from the recipe's own function."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mnist.constants import TRAINING_IMAGES
from mnist.plan import TrainingPlan
from mnist.recipe import STEPS
from mnist.records import History

_POINTS, _LEAST_POINTS = 240, 16
"""Steps drawn of a run and at least of each epoch: a smooth curve; an epoch's first and last step are among them."""


@dataclass(frozen=True)
class ScheduleRow:
    """The learning rate of one epoch."""

    epoch: int
    steps: int
    first: float
    highest: float
    last: float
    recorded: float | None
    """What the run recorded after the epoch; None for an epoch that it has not done."""


@dataclass(frozen=True)
class ScheduleView:
    """The learning rate over a whole run."""

    epochs: int
    steps: int
    curve: tuple[tuple[float, float], ...]
    """(epochs done after the step, learning rate of the step)."""
    rows: tuple[ScheduleRow, ...]
    averaged_from: float | None
    """Epochs done when averaging of the weights begins; None where it never does."""
    rise: float
    """Epochs done when the rate is highest; 0 where it begins so."""
    is_constant: bool
    """Within each epoch."""
    muon_rate: float
    """The highest rate of the kernels that have their own; 0 where they have none."""

    @property
    def first(self) -> float:
        """Return the learning rate of the first step."""
        return self.rows[0].first

    @property
    def highest(self) -> float:
        """Return the highest learning rate."""
        return max(row.highest for row in self.rows)

    @property
    def last(self) -> float:
        """Return the learning rate of the last step."""
        return self.rows[-1].last

    @property
    def decays(self) -> tuple[int, ...]:
        """Return the epochs after which a rate that is constant within each of them decays."""
        if not self.is_constant:
            return ()
        return tuple(before.epoch for before, after in pairwise(self.rows) if after.first < before.last)

    @property
    def shortest_and_longest(self) -> tuple[int, int]:
        """Return the least and the most steps of an epoch."""
        steps = [row.steps for row in self.rows]
        return min(steps), max(steps)


def view_schedule(history: History) -> ScheduleView:
    """Compute the schedule of a run from its recipe, and set what the run recorded beside it."""
    recipe, plan = history.recipe, TrainingPlan(history.recipe, TRAINING_IMAGES)
    recorded = {record.epoch: record.learning_rate for record in history.epochs}
    rates = [plan.learning_rate_at(step) for step in range(plan.steps)]
    top, begin = rates.index(max(rates)), recipe.averaging_start * plan.steps
    return ScheduleView(
        epochs=recipe.epochs,
        steps=plan.steps,
        curve=_curve(plan, rates),
        rows=tuple(_row(plan, rates, epoch, recorded.get(epoch)) for epoch in range(1, recipe.epochs + 1)),
        averaged_from=_epochs_done(plan, begin) if recipe.averaging_start < 1 else None,
        rise=_epochs_done(plan, top + 1) if top else 0,
        is_constant=recipe.schedule == STEPS,
        muon_rate=recipe.muon_learning_rate,
    )


def _row(plan: TrainingPlan, rates: Sequence[float], epoch: int, recorded: float | None) -> ScheduleRow:
    own = rates[plan.steps_before(epoch) : plan.ends[epoch - 1]]
    return ScheduleRow(epoch, len(own), own[0], max(own), own[-1], recorded)


def _curve(plan: TrainingPlan, rates: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Choose some steps of each epoch: two neighbours at each border, so that a decay between epochs is upright."""
    points = max(_LEAST_POINTS, _POINTS // plan.recipe.epochs)
    chosen = []
    for epoch in range(1, plan.recipe.epochs + 1):
        last = plan.steps_in(epoch) - 1
        chosen += sorted({plan.steps_before(epoch) + round(place * last / (points - 1)) for place in range(points)})
    return tuple((_epochs_done(plan, step + 1), rates[step]) for step in chosen)


def _epochs_done(plan: TrainingPlan, steps: float) -> float:
    """Convert steps to epochs, which differ in length where some leave images out."""
    whole = bisect_right(plan.ends, steps)
    return whole + ((steps - plan.steps_before(whole + 1)) / plan.steps_in(whole + 1) if steps < plan.steps else 0)
