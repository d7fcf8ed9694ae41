"""The numbers of Part 2, read from the run's records."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnist.bench import Benchmarks, EpochCosts, Races
from mnist.constants import EPOCH_LIMIT, IMAGE_SIZE, PARAMETER_LIMIT, REQUIRED_ACCURACY, TRAINING_IMAGES
from mnist.plan import TrainingPlan
from mnist.recipe import ONE_CYCLE, STEPS, Recipe, is_changed
from mnist.records import EpochRecord, Evaluation, History
from mnist.study import Study
from reports.views.mistakes import ConfusionCell, MistakeGroup, confusion_cells, group_mistakes
from reports.views.schedule import ScheduleView, view_schedule

_LEAST_NAMED = 3


@dataclass(frozen=True)
class Requirement:
    """A number that the assignment asks for, what was reached, and whether that is enough."""

    name: str
    """`parameters`, `epochs` or `accuracy`."""
    limit: float
    reached: float
    met: bool


@dataclass(frozen=True)
class Hyperparameter:
    """A value of a recipe."""

    name: str
    """Of the recipe's field."""
    label: str
    value: Any
    meaning: str


@dataclass(frozen=True)
class MnistView:
    """Part 2."""

    history: History
    evaluation: Evaluation
    requirements: tuple[Requirement, ...]
    confusion: tuple[tuple[ConfusionCell, ...], ...]
    mistakes: tuple[MistakeGroup, ...]
    schedule: ScheduleView
    recipe: tuple[Hyperparameter, ...]
    first_whole: EpochRecord | None
    """The first epoch that trains on whole images after epochs that train on small ones; None where there is none."""
    goal: float = REQUIRED_ACCURACY

    @property
    def first(self) -> EpochRecord:
        """Return the first epoch."""
        return self.history.epochs[0]

    @property
    def last(self) -> EpochRecord:
        """Return the last epoch."""
        return self.history.epochs[-1]

    @property
    def best(self) -> EpochRecord:
        """Return the epoch with the highest test accuracy, the last of equals."""
        return max(self.history.epochs, key=lambda record: (record.test_accuracy, record.epoch))

    @property
    def epochs_at_goal(self) -> tuple[int, ...]:
        """Return the epochs that end with the accuracy asked for."""
        return tuple(record.epoch for record in self.history.epochs if record.test_accuracy >= self.goal)

    @property
    def stays_at_goal(self) -> bool:
        """Return whether every epoch after the first one at the goal is there too."""
        reached = self.epochs_at_goal
        return bool(reached) and len(reached) == self.last.epoch - reached[0] + 1

    @property
    def evaluation_differs(self) -> bool:
        """Return whether the saved weights have another accuracy than the log."""
        return abs(self.last.test_accuracy - self.evaluation.accuracy) > 1e-9

    @property
    def confused(self) -> tuple[ConfusionCell, ...]:
        """Return the counts of mistakes, the most frequent first."""
        cells = [cell for row in self.confusion for cell in row if cell.count and cell.true != cell.predicted]
        return tuple(sorted(cells, key=lambda cell: (-cell.count, cell.true, cell.predicted)))

    @property
    def most_confused(self) -> tuple[ConfusionCell, ...]:
        """Return the three most frequent mistakes, and whatever is as frequent as the third."""
        cells = self.confused
        return tuple(cell for cell in cells if cell.count >= cells[:_LEAST_NAMED][-1].count)

    @property
    def shown(self) -> int:
        """Count the misclassified images that the page shows."""
        return sum(len(group.images) for group in self.mistakes)

    @property
    def recipe_changed(self) -> bool:
        """Return whether the run changed values of the recipe that it is named after."""
        return is_changed(self.history.recipe_name, self.history.recipe)

    @property
    def chosen_on_held_out(self) -> bool:
        """Return whether the values are those that were chosen on held-out images: ours, unchanged."""
        return self.history.recipe_name != "course" and not self.recipe_changed

    @property
    def multiply_adds(self) -> int:
        """Sum what one image costs."""
        return sum(layer.multiply_adds for layer in self.evaluation.layers)

    @property
    def seconds(self) -> float:
        """Sum the times of all epochs."""
        return sum(record.seconds for record in self.history.epochs)


@dataclass(frozen=True)
class StudyView:
    """A recipe that was trained with several seeds."""

    study: Study
    changed: bool
    """Whether it has other values than those of its name."""


@dataclass(frozen=True)
class SpeedView:
    """What `make bench` measured."""

    epochs: EpochCosts | None
    race: Races | None
    machines: tuple[str, ...]


def view_mnist(history: History, evaluation: Evaluation) -> MnistView:
    """Arrange a run with at least one epoch, and its evaluation, for reading."""
    mistakes = group_mistakes(evaluation)
    return MnistView(
        history=history,
        evaluation=evaluation,
        requirements=_requirements(history, evaluation),
        confusion=confusion_cells(evaluation, mistakes),
        mistakes=mistakes,
        schedule=view_schedule(history),
        recipe=view_recipe(history.recipe),
        first_whole=_first_whole(history),
    )


def view_studies(studies: Sequence[Study]) -> tuple[StudyView, ...]:
    """Arrange the studies in the order given."""
    return tuple(StudyView(study, is_changed(study.recipe_name, study.recipe)) for study in studies)


def view_speed(measured: Benchmarks) -> SpeedView | None:
    """Arrange what was measured; None where nothing was."""
    found = [each for each in (measured.epochs, measured.race) if each]
    machines = sorted({each.hardware.description for each in found})
    return SpeedView(measured.epochs, measured.race, tuple(machines)) if found else None


def view_recipe(recipe: Recipe) -> tuple[Hyperparameter, ...]:
    """List every value of a recipe that has an effect, with the recipe's own words for it."""
    return tuple(
        Hyperparameter(field.name, field.metadata["name"], getattr(recipe, field.name), field.metadata["meaning"])
        for field in dataclasses.fields(recipe)
        if field.name not in _APPLIES or _APPLIES[field.name](recipe)
    )


def _requirements(history: History, evaluation: Evaluation) -> tuple[Requirement, ...]:
    parameters, done, accuracy = evaluation.parameters, len(history.epochs), history.epochs[-1].test_accuracy
    return (
        Requirement("parameters", PARAMETER_LIMIT, parameters, parameters < PARAMETER_LIMIT),
        Requirement("epochs", EPOCH_LIMIT, done, max(done, history.recipe.epochs) <= EPOCH_LIMIT),
        Requirement("accuracy", REQUIRED_ACCURACY, accuracy, accuracy >= REQUIRED_ACCURACY),
    )


def _first_whole(history: History) -> EpochRecord | None:
    plan = TrainingPlan(history.recipe, TRAINING_IMAGES)
    sizes = [plan.image_size(record.epoch) for record in history.epochs]
    small = sum(size < IMAGE_SIZE for size in sizes)
    return history.epochs[small] if 0 < small < len(sizes) else None


def _trains_on_small_images(recipe: Recipe) -> bool:
    return TrainingPlan(recipe, TRAINING_IMAGES).image_size(1) < IMAGE_SIZE


def _leaves_images_out(recipe: Recipe) -> bool:
    plan = TrainingPlan(recipe, TRAINING_IMAGES)
    return any(plan.images_in(epoch) < plan.images for epoch in range(1, recipe.epochs + 1))


def _decays_in_steps(recipe: Recipe) -> bool:
    return recipe.schedule == STEPS and recipe.decay_epochs > 0


_APPLIES: Mapping[str, Callable[[Recipe], bool]] = {
    "ghost_batch_size": lambda recipe: recipe.groups > 1,
    "crop_size": _trains_on_small_images,
    "crop_epoch_fraction": _trains_on_small_images,
    "hard_example_fraction": _leaves_images_out,
    "easy_example_fraction": _leaves_images_out,
    "full_epochs_at_start": _leaves_images_out,
    "full_epochs_at_end": _leaves_images_out,
    "muon_learning_rate": lambda recipe: recipe.muon_learning_rate > 0,
    "warm_up": lambda recipe: recipe.schedule == ONE_CYCLE,
    "decay_epochs": _decays_in_steps,
    "decay_factor": _decays_in_steps,
    "averaging_interval": lambda recipe: recipe.averaging_start < 1,
}
