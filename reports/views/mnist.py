"""Everything that the page says about Part 2, read from the run's records."""

from dataclasses import dataclass

from mnist.constants import EPOCH_LIMIT, IMAGE_SIZE, PARAMETER_LIMIT, REQUIRED_ACCURACY, TRAINING_IMAGES
from mnist.plan import TrainingPlan
from mnist.recipe import is_changed
from mnist.records import EpochRecord, Evaluation, History, LayerFacts
from reports.formats import counted, percent
from reports.views.mistakes import ConfusionCell, MistakeGroup, confusion_cells, group_mistakes, most_frequent
from reports.views.recipe_words import Fact, recipe_facts
from reports.views.schedule import ScheduleView, view_schedule


@dataclass(frozen=True)
class Verdict:
    """A requirement, what was reached, and whether that is enough."""

    asked: str
    reached: str
    met: bool
    note: str = ""

    @property
    def word(self) -> str:
        """Say the verdict in words, so that colour is not needed to tell."""
        return "reached" if self.met else "not reached"


@dataclass(frozen=True)
class LayerRow:
    """One layer as the table of receptive fields tells it."""

    number: int
    facts: LayerFacts
    output: str
    window: str
    learns: bool


@dataclass(frozen=True)
class MnistView:
    """Part 2."""

    history: History
    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    layers: tuple[LayerRow, ...]
    reading: tuple[str, ...]
    confusion: tuple[tuple[ConfusionCell, ...], ...]
    confusions: str
    mistakes: tuple[MistakeGroup, ...]
    schedule: ScheduleView
    recipe: tuple[Fact, ...]
    seconds: float

    @property
    def last(self) -> EpochRecord:
        """Give the last epoch."""
        return self.history.epochs[-1]

    @property
    def shown(self) -> int:
        """Count the misclassified digits that the page shows."""
        return sum(len(group.digits) for group in self.mistakes)

    @property
    def recipe_changed(self) -> bool:
        """Tell whether the run changed values of the recipe that it is named after."""
        return is_changed(self.history.recipe_name, self.history.recipe)

    @property
    def chosen_on_held_out(self) -> bool:
        """Tell whether the values are those that were chosen on held-out images: ours, unchanged."""
        return self.history.recipe_name != "course" and not self.recipe_changed

    @property
    def multiply_adds(self) -> int:
        """Sum what one image costs."""
        return sum(row.facts.multiply_adds for row in self.layers)


def view_mnist(history: History, evaluation: Evaluation) -> MnistView:
    """Arrange a run with at least one epoch, and its evaluation, for reading."""
    mistakes = group_mistakes(evaluation)
    return MnistView(
        history=history,
        evaluation=evaluation,
        verdicts=_verdicts(history, evaluation),
        layers=tuple(_layer(number, facts) for number, facts in enumerate(evaluation.layers, 1)),
        reading=_reading(history),
        confusion=confusion_cells(evaluation, mistakes),
        confusions=most_frequent(evaluation),
        mistakes=mistakes,
        schedule=view_schedule(history),
        recipe=recipe_facts(history.recipe),
        seconds=sum(record.seconds for record in history.epochs),
    )


def _verdicts(history: History, evaluation: Evaluation) -> tuple[Verdict, ...]:
    done, planned, last = len(history.epochs), history.recipe.epochs, history.epochs[-1]
    unfinished = f"The run is not finished: its recipe has {counted(planned, 'epoch')}." if done < planned else ""
    parameters = counted(evaluation.parameters, "parameter")
    accuracy = f"{percent(last.test_accuracy)} after epoch\N{NO-BREAK SPACE}{last.epoch}"
    differs = ""
    if abs(last.test_accuracy - evaluation.accuracy) > 1e-9:
        differs = f"The evaluation of the saved weights gives {percent(evaluation.accuracy)}."
    return (
        Verdict(f"Fewer than {PARAMETER_LIMIT:,} parameters", parameters, evaluation.parameters < PARAMETER_LIMIT),
        Verdict(f"At most {EPOCH_LIMIT} epochs", counted(done, "epoch"), max(done, planned) <= EPOCH_LIMIT, unfinished),
        Verdict(
            f"At least {percent(REQUIRED_ACCURACY, 1)} of the {evaluation.images:,} test images, at the last epoch",
            accuracy,
            last.test_accuracy >= REQUIRED_ACCURACY,
            differs,
        ),
    )


def _layer(number: int, facts: LayerFacts) -> LayerRow:
    parts = [] if facts.kernel is None else [f"{facts.kernel} × {facts.kernel}"]
    if facts.stride and facts.stride > 1:
        parts.append(f"stride {facts.stride}")
    if facts.padding:
        parts.append(f"padding {facts.padding}")
    output = f"{facts.channels} × {facts.size} × {facts.size}"
    return LayerRow(number, facts, output, ", ".join(parts) or "–", facts.kernel is not None)


def _reading(history: History) -> tuple[str, ...]:
    """Say in sentences what the training curves show."""
    records = history.epochs
    first, last = records[0], records[-1]
    if len(records) == 1:
        return (
            f"One epoch only: {percent(last.test_accuracy)} of the test images are right after it, at a loss of "
            f"{last.test_loss:.4f}. One point makes no curve.",
        )
    best = max(records, key=lambda record: (record.test_accuracy, record.epoch))
    sentences = [
        f"The test loss goes from {first.test_loss:.4f} after the first epoch to {last.test_loss:.4f} after epoch "
        f"{last.epoch}, and the share of wrong answers from {percent(1 - first.test_accuracy)} to "
        f"{percent(1 - last.test_accuracy)}.",
        *_small_images(history),
        _when_reached(records),
        f"The best epoch is {best.epoch} with {percent(best.test_accuracy)}; what counts is the last one, "
        f"which has {percent(last.test_accuracy)}: picking the best by the test images would flatter the result."
        if best.epoch != last.epoch
        else f"The last epoch is also the best one, with {percent(last.test_accuracy)}.",
    ]
    return tuple(sentences)


def _small_images(history: History) -> list[str]:
    """Explain the fall and the jump of a network that learns from small images and is measured on whole ones."""
    plan = TrainingPlan(history.recipe, TRAINING_IMAGES)
    small = [record.epoch for record in history.epochs if plan.image_size(record.epoch) < IMAGE_SIZE]
    if not small or len(small) == len(history.epochs):
        return []
    edge, whole = history.recipe.crop_size, history.epochs[len(small)]
    return [
        f"Up to epoch {small[-1]} the network learns from the middle {edge} × {edge} pixels of each image, which is "
        f"quicker, but it is measured on whole ones, and may fall there; from epoch {whole.epoch} on, after which "
        f"{percent(whole.test_accuracy)} of the test images are right, it learns from whole ones too."
    ]


def _when_reached(records: tuple[EpochRecord, ...]) -> str:
    goal = percent(REQUIRED_ACCURACY, 1)
    reached = [record.epoch for record in records if record.test_accuracy >= REQUIRED_ACCURACY]
    if not reached:
        return f"No epoch reaches {goal}."
    if len(reached) == len(records) - reached[0] + 1:
        return f"The run reaches {goal} in epoch {reached[0]} and stays at or above it."
    return (
        f"The run first reaches {goal} in epoch {reached[0]}, and is at or above it after "
        f"{counted(len(reached), 'epoch')} of {len(records)}."
    )
