import base64
from dataclasses import replace

import numpy as np
import pytest
import records

from mnist.records import WeightTensor
from reports.prose import prose
from reports.views.digit import MOST_MISTAKES, heat, view_digit


def with_first_layer(window, bias):
    """Give all windows of the first layer the same weight everywhere."""
    weights = records.weights()
    content = {"conv1.weight": np.full((8, 1, 3, 3), window), "conv1.bias": np.full(8, bias)}
    changed = {
        name: WeightTensor(values.shape, base64.b64encode(values.astype("<f4").tobytes()).decode())
        for name, values in content.items()
    }
    return replace(weights, tensors=weights.tensors | changed)


def test_picks_are_the_samples_and_the_first_other_mistakes():
    evaluation = records.evaluation()
    view = view_digit(evaluation, records.weights())
    assert [pick.index for pick in view.picks[:10]] == [sample.index for sample in evaluation.samples]
    assert view.mistakes == MOST_MISTAKES == len(view.picks) - 10
    assert len({pick.index for pick in view.picks}) == len(view.picks)
    assert all(pick.true != pick.predicted for pick in view.picks[10:])


def test_without_mistakes_there_are_the_samples():
    view = view_digit(replace(records.evaluation(), misclassified=()), records.weights())
    assert (view.mistakes, len(view.picks)) == (0, 10)


def test_a_pick_says_what_it_is():
    labels = [prose("mnist.test_image", pick) for pick in view_digit(records.evaluation(), records.weights()).picks]
    assert labels[0] == "a 0, test image 0"
    assert labels[8] == "an 8, test image 830, misclassified as 3"


def test_heat_rises_with_the_probability():
    assert [heat(probability) for probability in (0.0, 0.01, 0.06, 0.3, 0.6, 0.95)] == [0, 1, 2, 3, 4, 5]


def test_maps_that_answer_to_paper_are_counted():
    # Paper is -0.1307 / 0.3081 = -0.4242 to the network: nine weights of -1 give 3.818.
    for window, bias, grounds in ((-1, 0, 8), (-1, -3.8, 8), (-1, -3.9, 0), (1, 0, 0), (1, 4, 8)):
        view = view_digit(records.evaluation(), with_first_layer(window, bias))
        assert view.grounds == grounds
        assert (view.paper, view.ink) == pytest.approx((-0.4242, 2.8215), abs=1e-4)


def test_the_programs_data_are_the_network_and_the_pixels():
    evaluation, weights = records.evaluation(), records.weights()
    data = view_digit(evaluation, weights).data
    assert set(data["tensors"]) == set(weights.tensors)
    assert [pick["pixels"] for pick in data["picks"]][:10] == [sample.pixels for sample in evaluation.samples]
    assert [layer["name"] for layer in data["layers"]][:3] == ["conv1", "relu1", "norm1"]
