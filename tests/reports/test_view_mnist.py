from dataclasses import replace

import pytest
import records

from reports.view_mnist import MOST_IMAGES, view_mnist

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


def test_confusion_and_mistakes_agree():
    view = view_mnist(records.history(), records.evaluation())
    counts = [[cell.count for cell in row] for row in view.confusion]
    assert sum(map(sum, counts)) == 10_000
    assert sum(counts[digit][digit] for digit in range(10)) == view.evaluation.correct
    assert len(view.digits) == 10_000 - view.evaluation.correct
    assert view.confusions.startswith("Most frequent: 4 read as 9 (7 times)")


def test_the_surest_mistakes_come_first_and_not_too_many():
    view = view_mnist(records.history(1), records.evaluation(1))
    sure = [float(digit.sure.removesuffix(f"{SPACE}%")) for digit in view.digits]
    assert sure == sorted(sure, reverse=True)
    assert len(sure) == MOST_IMAGES


def test_no_mistakes_is_no_failure():
    right = tuple(tuple(1000 * (row == column) for column in range(10)) for row in range(10))
    evaluation = replace(records.evaluation(), confusion=right, correct=10_000, accuracy=1.0, misclassified=())
    view = view_mnist(with_last(1.0), evaluation)
    assert view.confusions == "No image is named wrongly."


def test_every_value_of_the_recipe_is_told():
    names = [fact.name for fact in view_mnist(records.history(), records.evaluation()).recipe]
    assert {"Epochs", "Batch size", "Learning rate η", "Warm-up", "Momentum", "Random shift"} <= set(names)
    assert "Factor of a fall" not in names
    assert all(fact.meaning for fact in view_mnist(records.history(), records.evaluation()).recipe)
