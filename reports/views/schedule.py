"""What the page says about the learning rate of a training run, step by step, from the recipe's own function."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from mnist.constants import TRAINING_IMAGES
from mnist.plan import TrainingPlan
from mnist.recipe import STEPS, Recipe
from mnist.records import History
from reports.formats import fixed, short, significant, times

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
    """What the run wrote down after the epoch; None for an epoch that it has not done."""


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
    words: str
    muon: str
    """What the kernels' own rate does, a sentence; empty where they have none."""

    @property
    def lengths(self) -> str:
        """Say that epochs differ in length, a sentence; empty where they do not."""
        shortest, longest = (pick(row.steps for row in self.rows) for pick in (min, max))
        if shortest == longest:
            return ""
        return f"Epochs that leave images out have fewer steps, {shortest:,} instead of {longest:,}."


def view_schedule(history: History) -> ScheduleView:
    """Compute the schedule of a run from its recipe, and set what the run recorded beside it."""
    recipe, plan = history.recipe, TrainingPlan(history.recipe, TRAINING_IMAGES)
    recorded = {record.epoch: record.learning_rate for record in history.epochs}
    rows = tuple(_row(plan, epoch, recorded.get(epoch)) for epoch in range(1, recipe.epochs + 1))
    begin = recipe.averaging_start * plan.steps
    return ScheduleView(
        epochs=recipe.epochs,
        steps=plan.steps,
        curve=_curve(plan),
        rows=rows,
        averaged_from=_epochs_done(plan, begin) if recipe.averaging_start < 1 else None,
        words=_falls(rows) if recipe.schedule == STEPS else _arc(plan),
        muon=_muon(recipe),
    )


def learning_rate_text(rate: float) -> str:
    """Spell a learning rate of a schedule."""
    return fixed(rate, 5) if rate >= 1e-4 else significant(rate, 3)


def _row(plan: TrainingPlan, epoch: int, recorded: float | None) -> ScheduleRow:
    rates = [plan.learning_rate_at(step) for step in range(plan.steps_before(epoch), plan.ends[epoch - 1])]
    return ScheduleRow(epoch, len(rates), rates[0], max(rates), rates[-1], recorded)


def _curve(plan: TrainingPlan) -> tuple[tuple[float, float], ...]:
    """Take some steps of each epoch: two neighbours at each border, so that a fall between epochs is upright."""
    points = max(_LEAST_POINTS, _POINTS // plan.recipe.epochs)
    chosen = []
    for epoch in range(1, plan.recipe.epochs + 1):
        last = plan.steps_in(epoch) - 1
        chosen += sorted({plan.steps_before(epoch) + round(place * last / (points - 1)) for place in range(points)})
    return tuple((_epochs_done(plan, step + 1), plan.learning_rate_at(step)) for step in chosen)


def _epochs_done(plan: TrainingPlan, steps: float) -> float:
    """Tell how many epochs so many steps are: epochs differ in length where some leave images out."""
    whole = bisect_right(plan.ends, steps)
    return whole + ((steps - plan.steps_before(whole + 1)) / plan.steps_in(whole + 1) if steps < plan.steps else 0)


def _arc(plan: TrainingPlan) -> str:
    rates = [plan.learning_rate_at(step) for step in range(plan.steps)]
    top = rates.index(max(rates))
    highest, done = significant(rates[top], 3), significant(_epochs_done(plan, top + 1), 2)
    first = "the first epoch" if done == "1" else f"the first {done} epochs"
    rise = f"rises from {short(rates[0])} to {highest} in {first}" if top else f"begins with {highest}"
    fall = f" and falls to {significant(rates[-1], 2)} in the last step" if top < len(rates) - 1 else ""
    return f"η {rise}{fall}."


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
    if not recipe.muon_learning_rate:
        return ""
    return (
        f"The kernels between the first and the last convolution have a rate of their own (Muon), of the same shape, "
        f"which is {short(recipe.muon_learning_rate)} at its highest."
    )
