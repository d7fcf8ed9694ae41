"""What each number of a training recipe means, in a reader's words."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mnist.recipe import ONE_CYCLE, STEPS, Recipe
from reports.formats import counted, percent, short


@dataclass(frozen=True)
class Fact:
    """A name, its value, and what that means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class _Words:
    name: str
    meaning: str
    spell: Callable[[Any], str] = str
    applies: Callable[[Recipe], bool] = lambda recipe: True


def _one_cycle(recipe: Recipe) -> bool:
    return recipe.schedule == ONE_CYCLE


def _falling(recipe: Recipe) -> bool:
    return recipe.schedule == STEPS and recipe.decay_epochs > 0


def _averaging(recipe: Recipe) -> bool:
    return recipe.averaging_start < 1


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _pixels(value: int) -> str:
    return f"± {counted(value, 'pixel')}" if value else "none"


def _percent(value: float) -> str:
    return percent(value, 0)


_SCHEDULES = {ONE_CYCLE: "one cycle", STEPS: "steps"}
_WORDS = {
    "epochs": _Words("Epochs", "Full passes over the 60,000 training images."),
    "batch_size": _Words("Batch size", "Images per step: the gradient is averaged over them.", lambda n: f"{n} images"),
    "learning_rate": _Words("Learning rate η", "The highest rate of the schedule.", short),
    "schedule": _Words(
        "Schedule",
        "How η changes on the way: up and down once over the whole run (one cycle), or constant with a fall every few "
        "epochs (steps).",
        lambda name: _SCHEDULES.get(name, name),
    ),
    "warm_up": _Words("Warm-up", "The share of all steps in which η rises.", _percent, _one_cycle),
    "decay_epochs": _Words("Epochs between falls", "How long η stays before it falls.", str, _falling),
    "decay_factor": _Words("Factor of a fall", "What η is multiplied with when it falls.", short, _falling),
    "momentum": _Words("Momentum", "How much of the last step is carried into the next one.", short),
    "nesterov": _Words("Nesterov momentum", "Whether the gradient is taken where momentum is about to lead.", _yes),
    "weight_decay": _Words("Weight decay", "A pull of every parameter towards 0, per unit of its size.", short),
    "label_smoothing": _Words("Label smoothing", "Probability that the target spreads over all ten digits.", short),
    "shift": _Words("Random shift", "How far each training image is moved, anew in every epoch.", _pixels),
    "averaging_start": _Words(
        "Weight averaging",
        "From this share of the steps on, weights are averaged, and the average is what is measured and kept.",
        lambda share: f"from {percent(share, 0)}" if share < 1 else "none",
    ),
    "averaging_interval": _Words(
        "Averaging interval", "Steps between two sets of weights that enter the average.", str, _averaging
    ),
    "precision": _Words("Precision", "Of the convolutions; “auto” takes bfloat16 where the processor has it."),
}


def recipe_facts(recipe: Recipe) -> tuple[Fact, ...]:
    """Tell every value of a recipe that has an effect; a field without words of its own is shown by its name."""
    facts = []
    for field in dataclasses.fields(recipe):
        words = _WORDS.get(field.name, _Words(field.name.replace("_", " "), ""))
        if words.applies(recipe):
            facts.append(Fact(words.name, words.spell(getattr(recipe, field.name)), words.meaning))
    return tuple(facts)
