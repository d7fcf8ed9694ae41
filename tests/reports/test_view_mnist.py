from dataclasses import replace

import pytest
import records

from reports.views.mnist import view_mnist

SPACE = "\N{NO-BREAK SPACE}"


def verdicts(**changes):
    evaluation = replace(records.evaluation(), **changes)
    return [verdict.met for verdict in view_mnist(records.history(), evaluation).verdicts]


def with_last(accuracy, epochs=15):
    history = records.history(epochs)
    return replace(history, epochs=(*history.epochs[:-1], replace(history.epochs[-1], test_accuracy=accuracy)))


def test_verdicts_follow_the_numbers():
    assert verdicts() == [True, True, True]
    assert verdicts(parameters=19_999)[0]
    assert not verdicts(parameters=20_000)[0]


@pytest.mark.parametrize(("accuracy", "met"), [(0.9939, False), (0.9940, True), (1.0, True)])
def test_accuracy_counts_at_the_last_epoch(accuracy, met):
    view = view_mnist(with_last(accuracy), records.evaluation())
    assert view.verdicts[2].met is met
    assert view.verdicts[2].word == ("reached" if met else "not reached")


def test_more_epochs_than_allowed_are_not_reached():
    history = records.history(21)
    assert not view_mnist(history, records.evaluation(21)).verdicts[1].met


def test_small_images_explain_the_jump():
    history = records.history()
    small = replace(history, recipe=replace(history.recipe, crop_epoch_fraction=0.2, crop_size=22))
    told = [sentence for sentence in view_mnist(small, records.evaluation()).reading if "22 × 22" in sentence]
    assert len(told) == 1
    assert told[0].startswith("Up to epoch 3 ")
    assert "from epoch 4 on" in told[0]
    whole = replace(history, recipe=replace(history.recipe, crop_epoch_fraction=0.0))
    assert not any("22 × 22" in sentence for sentence in view_mnist(whole, records.evaluation()).reading)


def test_an_unfinished_run_is_called_so():
    history = records.history()
    history = replace(history, epochs=history.epochs[:4])
    assert "not finished" in view_mnist(history, replace(records.evaluation(), epoch=4)).verdicts[1].note


def test_an_evaluation_that_differs_from_the_log_is_told():
    view = view_mnist(with_last(0.9957), records.evaluation())
    assert f"99.58{SPACE}%" in view.verdicts[2].note


def test_one_epoch_is_no_curve():
    view = view_mnist(records.history(1), records.evaluation(1))
    assert not view.verdicts[2].met
    assert "One epoch only" in view.reading[0]


def test_reading_names_the_best_epoch_when_it_is_not_the_last():
    text = " ".join(view_mnist(with_last(0.9945), records.evaluation()).reading).replace(SPACE, " ")
    assert "The best epoch is 14" in text
    assert "what counts is the last one, which has 99.45 %" in text


def test_the_run_that_falls_back_is_told():
    text = " ".join(view_mnist(with_last(0.99), records.evaluation()).reading).replace(SPACE, " ")
    assert "first reaches 99.4 % in epoch" in text
    assert "of 15." in text


def test_layers_sum_to_the_network():
    view = view_mnist(records.history(), records.evaluation())
    assert sum(row.facts.parameters for row in view.layers) == 15_662
    # By hand: positions x kernel x channels in x channels out, of the five convolutions.
    hand = (784 * 9 * 8, 784 * 9 * 8 * 16, 784 * 9 * 16 * 32, 144 * 9 * 32 * 32, 144 * 32 * 10)
    assert view.multiply_adds == sum(hand)


def test_every_value_of_the_recipe_is_told():
    names = [fact.name for fact in view_mnist(records.history(), records.evaluation()).recipe]
    assert {"Epochs", "Batch size", "Learning rate η", "Warm-up", "Momentum", "Random shift"} <= set(names)
    assert "Factor of a fall" not in names
    assert all(fact.meaning for fact in view_mnist(records.history(), records.evaluation()).recipe)
