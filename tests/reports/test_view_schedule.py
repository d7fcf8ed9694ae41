from dataclasses import replace

import pytest
import records

from mnist.recipe import RECIPES
from reports.drawings.mnist import schedule_drawing
from reports.prose import prose
from reports.views.schedule import view_schedule

STEPS = 938  # 60,000 images in batches of 64


def run(hard_example_fraction=1.0, **changes):
    history = records.history()
    return replace(history, recipe=replace(history.recipe, hard_example_fraction=hard_example_fraction, **changes))


def words(history):
    return prose("mnist.learning_rate", view_schedule(history)).replace("\N{NO-BREAK SPACE}", " ")


def test_rows_follow_torchs_one_cycle():
    """The oracle is torch.optim.lr_scheduler.OneCycleLR, stepped through the whole run."""
    import torch  # which no other test here needs

    recipe = run().recipe
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    total = recipe.epochs * STEPS
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=total, pct_start=recipe.warm_up, cycle_momentum=False
    )
    rates = []
    for _ in range(total):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if len(rates) < total:
            scheduler.step()
    view = view_schedule(run())
    assert view.steps == total
    for row in view.rows:
        assert row.steps == STEPS
        epoch = rates[(row.epoch - 1) * STEPS : row.epoch * STEPS]
        assert (row.first, row.highest, row.last) == pytest.approx((epoch[0], max(epoch), epoch[-1]), rel=1e-9)
    for epochs, rate in view.curve:
        assert rate == pytest.approx(rates[round(epochs * STEPS) - 1], rel=1e-9)


def test_one_cycle_in_words():
    assert words(run()) == "η rises from 0.004 to 0.1 in the first 3 epochs and decays to 4 × 10⁻⁷ in the last step."
    assert words(run(warm_up=1 / 15)).startswith("η rises from 0.004 to 0.1 in the first epoch and decays")
    assert words(run(warm_up=0.0)).startswith("η begins with 0.1 and decays")
    assert words(run(warm_up=1.0)) == "η rises from 0.004 to 0.1 in the first 15 epochs."


def test_decay_in_words():
    course = replace(records.history(), recipe=RECIPES["course"])
    view = view_schedule(course)
    assert words(course) == "η decays once, after epoch 15: from 0.05 to 0.005."
    assert [row.first for row in view.rows] == pytest.approx([0.05] * 15 + [0.005] * 5)
    assert view.muon_rate == 0
    assert view.averaged_from is None
    constant = replace(course, recipe=replace(course.recipe, decay_epochs=0))
    assert words(constant) == "η is 0.05 throughout."
    often = replace(course, recipe=replace(course.recipe, decay_epochs=5))
    assert words(often) == "η decays 3 times, first after epoch 5: from 0.05 to 0.00005."


def test_a_run_that_is_not_finished_has_dots_for_what_is_done_only():
    history = records.history()
    view = view_schedule(replace(history, epochs=history.epochs[:4]))
    assert [row.recorded is not None for row in view.rows] == [True] * 4 + [False] * 11
    dots = schedule_drawing(view).figure.axes[0].lines[-1]
    assert list(dots.get_xdata()) == [1, 2, 3, 4]


def test_epochs_that_leave_images_out_are_as_wide_as_the_others():
    view = view_schedule(
        run(hard_example_fraction=0.25, easy_example_fraction=0.25, full_epochs_at_start=2, full_epochs_at_end=1)
    )
    assert [row.steps for row in view.rows] == [938] * 2 + [411] * 12 + [938]  # 0.4375 x 60,000 / 64 = 410.2
    assert view.steps == 938 * 3 + 411 * 12
    assert view.shortest_and_longest == (411, 938)
    assert view_schedule(run()).shortest_and_longest == (938, 938)
    # Three quarters of the steps lie where the epochs are short.
    assert view.averaged_from == pytest.approx(2 + (0.75 * view.steps - 2 * 938) / 411)
    ends = {epochs: rate for epochs, rate in view.curve if epochs == round(epochs)}
    assert ends == {row.epoch: row.last for row in view.rows}


def test_the_runs_own_rates_stand_beside_the_recipes():
    for row in view_schedule(records.history()).rows:
        assert row.recorded == pytest.approx(row.last, rel=1e-9)
