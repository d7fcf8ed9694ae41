"""What each number of a training recipe means, in a reader's words."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mnist.constants import IMAGE_SIZE, TRAINING_IMAGES
from mnist.plan import TrainingPlan
from mnist.recipe import ONE_CYCLE, STEPS, Recipe
from reports.formats import counted, short


@dataclass(frozen=True)
class Fact:
    """A name, its value, and what that means."""

    name: str
    value: str
    meaning: str


def _one_cycle(recipe: Recipe) -> bool:
    return recipe.schedule == ONE_CYCLE


def _choosy(recipe: Recipe) -> bool:
    plan = TrainingPlan(recipe, TRAINING_IMAGES)
    return any(plan.images_in(epoch) < plan.images for epoch in range(1, recipe.epochs + 1))


def _small(recipe: Recipe) -> bool:
    return TrainingPlan(recipe, TRAINING_IMAGES).image_size(1) < IMAGE_SIZE


def _share(share: float) -> str:
    return f"{short(100 * share)}\N{NO-BREAK SPACE}%"


def _falling(recipe: Recipe) -> bool:
    return recipe.schedule == STEPS and recipe.decay_epochs > 0


_APPLIES: Mapping[str, Callable[[Recipe], bool]] = {
    "ghost_batch_size": lambda recipe: recipe.groups > 1,
    "crop_size": _small,
    "crop_epoch_fraction": _small,
    "hard_example_fraction": _choosy,
    "easy_example_fraction": _choosy,
    "full_epochs_at_start": _choosy,
    "full_epochs_at_end": _choosy,
    "muon_learning_rate": lambda recipe: recipe.muon_learning_rate > 0,
    "warm_up": _one_cycle,
    "decay_epochs": _falling,
    "decay_factor": _falling,
    "averaging_interval": lambda recipe: recipe.averaging_start < 1,
}
_SPELLED: Mapping[str, Callable[[Any], str]] = {
    "batch_size": lambda images: f"{images} images",
    "ghost_batch_size": lambda images: f"{images} images",
    "crop_size": lambda edge: f"{edge} × {edge} pixels",
    "crop_epoch_fraction": _share,
    "hard_example_fraction": _share,
    "easy_example_fraction": _share,
    "warm_up": _share,
    "nesterov": lambda value: "yes" if value else "no",
    "shift": lambda pixels: f"± {counted(pixels, 'pixel')}" if pixels else "none",
    "averaging_start": lambda share: f"from {_share(share)}" if share < 1 else "none",
}


def recipe_facts(recipe: Recipe) -> tuple[Fact, ...]:
    """Tell every value of a recipe that has an effect, in the recipe's own words."""
    return tuple(
        Fact(field.metadata["name"], _spelled(field.name, getattr(recipe, field.name)), field.metadata["meaning"])
        for field in dataclasses.fields(recipe)
        if field.name not in _APPLIES or _APPLIES[field.name](recipe)
    )


def _spelled(name: str, value: Any) -> str:
    spell: Callable[[Any], str] = _SPELLED.get(name, short if isinstance(value, float) else str)
    return spell(value)
