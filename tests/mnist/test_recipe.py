"""The learning-rate schedules against torch's own schedulers."""

import dataclasses

import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, StepLR

from mnist.errors import MnistError
from mnist.recipe import DEFAULT_RECIPE, RECIPES, recipe_named

STEPS_PER_EPOCH = 7


def rates_of(scheduler: LRScheduler, steps: int) -> list[float]:
    rates = [float(scheduler.get_last_lr()[0])]
    while len(rates) < steps:
        scheduler.optimizer.step()
        scheduler.step()
        rates.append(float(scheduler.get_last_lr()[0]))
    return rates


def optimizer(rate: float) -> torch.optim.SGD:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate, momentum=0.9)


@pytest.mark.parametrize("epochs", [1, 2, 15, 20])
def test_one_cycle_is_that_of_torch(epochs: int) -> None:
    recipe = dataclasses.replace(RECIPES["accurate"], epochs=epochs)
    steps = epochs * STEPS_PER_EPOCH
    peak, share = recipe.learning_rate, recipe.warm_up
    torchs = OneCycleLR(optimizer(peak), max_lr=peak, total_steps=steps, pct_start=share, cycle_momentum=False)
    ours = [recipe.learning_rate_at(step, STEPS_PER_EPOCH) for step in range(steps)]
    assert ours == pytest.approx(rates_of(torchs, steps))


@pytest.mark.parametrize("steps", range(1, 12))
def test_one_cycle_has_a_rate_for_runs_of_any_length(steps: int) -> None:
    recipe = dataclasses.replace(RECIPES["accurate"], epochs=1)
    assert all(0 < recipe.learning_rate_at(step, steps) <= recipe.learning_rate for step in range(steps))


def test_course_falls_like_torchs_step_schedule() -> None:
    recipe = RECIPES["course"]
    expected = rates_of(StepLR(optimizer(recipe.learning_rate), step_size=15, gamma=0.1), recipe.epochs)
    ours = [recipe.learning_rate_at(epoch * STEPS_PER_EPOCH, STEPS_PER_EPOCH) for epoch in range(recipe.epochs)]
    assert ours == pytest.approx(expected)
    last_steps = [recipe.learning_rate_at((epoch + 1) * STEPS_PER_EPOCH - 1, STEPS_PER_EPOCH) for epoch in range(20)]
    assert last_steps == pytest.approx(expected)


def test_every_recipe_keeps_to_the_assignments_20_epochs() -> None:
    assert all(recipe.epochs <= 20 for recipe in RECIPES.values())


def test_an_unknown_recipe_is_told_which_there_are() -> None:
    assert recipe_named(DEFAULT_RECIPE) is RECIPES[DEFAULT_RECIPE]
    with pytest.raises(MnistError, match="fast, accurate, course"):
        recipe_named("fastest")
