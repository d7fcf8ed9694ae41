"""The learning-rate schedules against torch's own schedulers."""

import dataclasses

import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, StepLR

from mnist.errors import MnistError
from mnist.plan import TrainingPlan
from mnist.recipe import DEFAULT_RECIPE, RECIPES, Recipe, recipe_named

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


def rates(recipe: Recipe) -> list[float]:
    plan = TrainingPlan(recipe, STEPS_PER_EPOCH * recipe.batch_size - 1)
    return [plan.learning_rate_at(step) for step in range(plan.steps)]


@pytest.mark.parametrize("epochs", [1, 2, 15, 20])
def test_one_cycle_is_that_of_torch(epochs: int) -> None:
    recipe = dataclasses.replace(RECIPES["accurate"], epochs=epochs, hard_example_fraction=1.0)
    steps = epochs * STEPS_PER_EPOCH
    peak, share = recipe.learning_rate, recipe.warm_up
    torchs = OneCycleLR(optimizer(peak), max_lr=peak, total_steps=steps, pct_start=share, cycle_momentum=False)
    ours = rates(recipe)
    assert ours == pytest.approx(rates_of(torchs, steps))


@pytest.mark.parametrize("steps", range(1, 12))
def test_one_cycle_has_a_rate_for_runs_of_any_length(steps: int) -> None:
    recipe = dataclasses.replace(RECIPES["accurate"], epochs=1)
    plan = TrainingPlan(recipe, steps * recipe.batch_size)
    assert plan.steps == steps
    assert all(0 < plan.learning_rate_at(step) <= recipe.learning_rate for step in range(steps))


def test_course_decays_like_torchs_step_schedule() -> None:
    recipe = RECIPES["course"]
    expected = rates_of(StepLR(optimizer(recipe.learning_rate), step_size=15, gamma=0.1), recipe.epochs)
    assert rates(recipe)[::STEPS_PER_EPOCH] == pytest.approx(expected)
    assert rates(recipe)[STEPS_PER_EPOCH - 1 :: STEPS_PER_EPOCH] == pytest.approx(expected)


def test_a_plan_counts_what_each_epoch_sees() -> None:
    changes = {
        "epochs": 5,
        "hard_example_fraction": 0.2,
        "easy_example_fraction": 0.25,
        "full_epochs_at_start": 2,
        "full_epochs_at_end": 1,
    }
    plan = TrainingPlan(dataclasses.replace(RECIPES["course"], batch_size=10, **changes), 1000)
    assert [plan.images_in(epoch) for epoch in range(1, 6)] == [1000, 1000, 400, 400, 1000]
    assert [plan.hard_examples(epoch) for epoch in range(1, 6)] == [1000, 1000, 200, 200, 1000]
    assert plan.ends == (100, 200, 240, 280, 380)
    assert [plan.steps_before(epoch) for epoch in range(1, 6)] == [0, 100, 200, 240, 280]
    decaying = TrainingPlan(dataclasses.replace(plan.recipe, decay_epochs=3, decay_factor=0.1), 1000)
    assert decaying.learning_rate_at(239) == 0.05
    assert decaying.learning_rate_at(240) == pytest.approx(0.005)


def test_every_recipe_keeps_to_the_assignments_20_epochs() -> None:
    assert all(recipe.epochs <= 20 for recipe in RECIPES.values())


def test_an_unknown_recipe_is_told_which_there_are() -> None:
    assert recipe_named(DEFAULT_RECIPE) is RECIPES[DEFAULT_RECIPE]
    with pytest.raises(MnistError, match="fast, accurate, course"):
        recipe_named("fastest")
