"""What the page says about several seeds of each recipe."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnist.recipe import is_changed
from mnist.study import Study
from reports.formats import fixed, percent


@dataclass(frozen=True)
class StudyView:
    """A recipe's figures, as they are and spelled for reading."""

    study: Study
    recipe: str
    epochs: int
    seeds: int
    mean: str
    deviation: str
    lowest: str
    interval: str
    at_goal: str
    seconds: str
    seconds_to_goal: str
    machine: str


def view_studies(studies: Sequence[Study]) -> tuple[StudyView, ...]:
    """Spell the studies, in the order given."""
    return tuple(map(_row, studies))


def _row(study: Study) -> StudyView:
    summary = study.summary
    bounds = [f"{100 * bound:.3f}" for bound in summary.interval or ()]
    return StudyView(
        study=study,
        recipe=study.recipe_name + (", changed" if is_changed(study.recipe_name, study.recipe) else ""),
        epochs=study.recipe.epochs,
        seeds=summary.seeds,
        mean=percent(summary.mean, 3),
        deviation="–" if summary.std is None else percent(summary.std, 3),
        lowest=percent(summary.lowest),
        interval=f"{' to '.join(bounds)}\N{NO-BREAK SPACE}%" if bounds else "–",
        at_goal=f"{summary.at_goal} of {summary.seeds}",
        seconds=fixed(summary.median_seconds, 0),
        seconds_to_goal="never" if summary.median_seconds_to_goal is None else fixed(summary.median_seconds_to_goal, 0),
        machine=study.hardware.description,
    )
