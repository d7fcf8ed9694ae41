"""What each number of a training recipe means, in a reader's words."""

import dataclasses
from collections.abc import Callable, Mapping
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


def _one_cycle(recipe: Recipe) -> bool:
    return recipe.schedule == ONE_CYCLE


def _choosy(recipe: Recipe) -> bool:
    return recipe.hard_share < 1


def _falling(recipe: Recipe) -> bool:
    return recipe.schedule == STEPS and recipe.decay_epochs > 0


_APPLIES: Mapping[str, Callable[[Recipe], bool]] = {
    "norm_size": lambda recipe: recipe.groups > 1,
    "small_size": lambda recipe: recipe.small_share > 0,
    "small_share": lambda recipe: recipe.small_share > 0,
    "hard_share": _choosy,
    "easy_share": _choosy,
    "whole_first": _choosy,
    "whole_last": _choosy,
    "muon_rate": lambda recipe: recipe.muon_rate > 0,
    "warm_up": _one_cycle,
    "decay_epochs": _falling,
    "decay_factor": _falling,
    "averaging_interval": lambda recipe: recipe.averaging_start < 1,
}
_SPELLED: Mapping[str, Callable[[Any], str]] = {
    "batch_size": lambda images: f"{images} images",
    "norm_size": lambda images: f"{images} images",
    "small_size": lambda edge: f"{edge} × {edge} pixels",
    "small_share": lambda share: percent(share, 0),
    "hard_share": lambda share: percent(share, 0),
    "easy_share": lambda share: percent(share, 0),
    "warm_up": lambda share: percent(share, 0),
    "nesterov": lambda value: "yes" if value else "no",
    "shift": lambda pixels: f"± {counted(pixels, 'pixel')}" if pixels else "none",
    "averaging_start": lambda share: f"from {percent(share, 0)}" if share < 1 else "none",
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
