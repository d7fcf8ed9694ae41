import base64
from dataclasses import replace

import numpy as np
import records

from mnist.records import WeightTensor
from reports.views.digit import MOST_MISTAKES, view_digit


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
    labels = [pick.label for pick in view_digit(records.evaluation(), records.weights()).picks]
    assert labels[0] == "a 0, test image 0"
    assert labels[8] == "an 8, test image 830, which the network read as 3"


def test_heat_rises_with_the_share():
    sample = records.samples()[0]
    shares = (0.0, 0.01, 0.06, 0.3, 0.6, 0.95, 0.0, 0.0, 0.0, 0.0)
    evaluation = replace(records.evaluation(), samples=(replace(sample, probabilities=shares),))
    found = view_digit(evaluation, records.weights()).picks[0].shares
    assert [share.heat for share in found] == [0, 1, 2, 3, 4, 5, 0, 0, 0, 0]
    assert [share.percent for share in found][:3] == ["0.0", "1.0", "6.0"]


def test_maps_that_answer_to_paper_are_counted():
    # Paper is -0.1307 / 0.3081 = -0.4242 to the network: nine weights of -1 give 3.818.
    for window, bias, grounds in ((-1, 0, 8), (-1, -3.8, 8), (-1, -3.9, 0), (1, 0, 0), (1, 4, 8)):
        view = view_digit(records.evaluation(), with_first_layer(window, bias))
        assert view.grounds == grounds
        assert (view.paper, view.ink) == ("−0.42", "2.82")


def test_the_programs_data_are_the_tensors_that_the_layers_need():
    weights = records.weights()
    more = replace(weights, tensors=weights.tensors | {"optimizer": WeightTensor((1,), "AAAAAA==")})
    data = view_digit(records.evaluation(), more).data
    assert set(data["tensors"]) == set(weights.tensors)
    assert [layer["name"] for layer in data["layers"]][:3] == ["conv1", "relu1", "norm1"]
