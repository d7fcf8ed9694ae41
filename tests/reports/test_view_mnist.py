from dataclasses import replace

import pytest
import records

from reports.prose import prose, sentences
from reports.views.mnist import view_mnist

SPACE = "\N{NO-BREAK SPACE}"


def verdicts(**changes):
    evaluation = replace(records.evaluation(), **changes)
    return [requirement.met for requirement in view_mnist(records.history(), evaluation).requirements]


def words(macro, view, place):
    return prose(f"mnist.{macro}", view.requirements[place], view).replace(SPACE, " ")


def training(view):
    return prose("mnist.training", view).replace(SPACE, " ")


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
    assert view.requirements[2].met is met
    assert prose("mnist.verdict", view.requirements[2]) == ("reached" if met else "not reached")
    assert words("reached", view, 2) == f"{accuracy:.2%} after epoch 15".replace("%", " %")


def test_requirements_in_words():
    view = view_mnist(records.history(), records.evaluation())
    assert [words("asked", view, place) for place in range(3)] == [
        "Fewer than 20,000 parameters",
        "At most 20 epochs",
        "At least 99.4 % test accuracy on 10,000 images, at the last epoch",
    ]
    assert [words("reached", view, place) for place in range(2)] == ["15,662 parameters", "15 epochs"]
    assert [words("remark", view, place) for place in range(3)] == [""] * 3


def test_more_epochs_than_allowed_are_not_reached():
    history = records.history(21)
    assert not view_mnist(history, records.evaluation(21)).requirements[1].met


def test_small_images_explain_the_jump():
    history = records.history()
    small = replace(history, recipe=replace(history.recipe, crop_epoch_fraction=0.2, crop_size=22))
    told = [text for text in sentences("mnist.training", view_mnist(small, records.evaluation())) if "22 × 22" in text]
    assert len(told) == 1
    assert told[0].startswith("Up to epoch 3 ")
    assert "from epoch 4 on" in told[0]
    whole = replace(history, recipe=replace(history.recipe, crop_epoch_fraction=0.0))
    assert "22 × 22" not in training(view_mnist(whole, records.evaluation()))


def test_an_unfinished_run_is_called_so():
    history = records.history()
    history = replace(history, epochs=history.epochs[:4])
    view = view_mnist(history, replace(records.evaluation(), epoch=4))
    assert words("remark", view, 1) == "The run is not finished: its recipe has 15 epochs."


def test_an_evaluation_that_differs_from_the_log_is_told():
    view = view_mnist(with_last(0.9957), records.evaluation())
    assert words("remark", view, 2) == "The evaluation of the saved weights gives 99.58 %."


def test_one_epoch_is_no_curve():
    view = view_mnist(records.history(1), records.evaluation(1))
    assert not view.requirements[2].met
    assert training(view).startswith("One epoch only")


def test_reading_names_the_best_epoch_when_it_is_not_the_last():
    text = training(view_mnist(with_last(0.9945), records.evaluation()))
    assert "The best epoch is 14" in text
    assert "what counts is the last one, which has 99.45 %" in text


def test_the_run_that_falls_back_is_told():
    text = training(view_mnist(with_last(0.99), records.evaluation()))
    assert "first reaches 99.4 % in epoch" in text
    assert "of 15." in text


def test_layers_sum_to_the_network():
    view = view_mnist(records.history(), records.evaluation())
    assert sum(layer.parameters for layer in view.evaluation.layers) == 15_662
    # By hand: positions x kernel x channels in x channels out, of the five convolutions.
    hand = (784 * 9 * 8, 784 * 9 * 8 * 16, 784 * 9 * 16 * 32, 144 * 9 * 32 * 32, 144 * 32 * 10)
    assert view.multiply_adds == sum(hand)


def test_every_value_of_the_recipe_is_told():
    recipe = view_mnist(records.history(), records.evaluation()).recipe
    names = [row.label for row in recipe]
    assert {"Epochs", "Batch size", "Learning rate η", "Warm-up", "Momentum", "Random shift"} <= set(names)
    assert "Decay factor" not in names
    assert all(row.meaning for row in recipe)
    values = {row.label: prose("mnist.hyperparameter", row).replace(SPACE, " ") for row in recipe}
    assert {name: values[name] for name in ("Batch size", "Crop size", "Warm-up", "Random shift", "Weight decay")} == {
        "Batch size": "64 images",
        "Crop size": "22 × 22 pixels",
        "Warm-up": "20 %",
        "Random shift": "± 1 pixel",
        "Weight decay": "0.00001",
    }
    assert (values["Nesterov momentum"], values["Weight averaging"]) == ("yes", "from 75 %")
