"""Tensors and layers that fit each other, held against torch's own network, and those that don't."""

import base64
from dataclasses import replace

import numpy as np
import pytest
import records

from mnist.model import ConvNet, layer_facts
from mnist.records import WeightTensor
from reports.architecture import network_problem, tensor_shapes

LAYERS = records.evaluation().layers


def with_tensor(name, values):
    weights = records.weights()
    content = base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()
    return replace(weights, tensors=weights.tensors | {name: WeightTensor(np.shape(values), content)})


def with_layer(number, **fields):
    return (*LAYERS[:number], replace(LAYERS[number], **fields), *LAYERS[number + 1 :])


def test_shapes_are_those_of_torchs_network():
    network = ConvNet()
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if tensor.ndim}
    assert tensor_shapes(layer_facts(network)) == expected


def test_a_whole_network_has_no_problem():
    assert network_problem(records.weights(), LAYERS) is None
    assert network_problem(records.weights(), layer_facts(ConvNet())) is None


@pytest.mark.parametrize("field", ["mean", "std", "epsilon"])
def test_impossible_constants(field):
    assert network_problem(replace(records.weights(), **{field: float("nan")}), LAYERS) == "impossible constants"
    assert field == "mean" or network_problem(replace(records.weights(), **{field: 0.0}), LAYERS)


def test_a_missing_tensor_is_named():
    weights = records.weights()
    tensors = {name: tensor for name, tensor in weights.tensors.items() if name != "norm4.running_var"}
    assert network_problem(replace(weights, tensors=tensors), LAYERS) == "no tensor norm4.running_var"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("conv1.bias", np.zeros(9)),
        ("conv2.weight", np.zeros((16, 8, 9))),
        ("conv5.bias", np.full(10, np.nan)),
        ("norm1.running_var", np.full(8, -1.0)),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(name, values):
    assert network_problem(with_tensor(name, values), LAYERS).startswith(f"{name} is not ")


@pytest.mark.parametrize("data", ["", "AAAA", "not base64", "<script>", "é"])
def test_damaged_data_are_named(data):
    weights = records.weights()
    tensors = weights.tensors | {"conv1.bias": WeightTensor((8,), data)}
    assert network_problem(replace(weights, tensors=tensors), LAYERS) == "conv1.bias is not 8 finite numbers"


@pytest.mark.parametrize(
    "layers",
    [
        (),
        LAYERS[:-1],
        LAYERS[1:],
        with_layer(0, kind="Conv3d"),
        with_layer(0, kernel=None),
        with_layer(0, stride=0),
        with_layer(0, padding=-1),
        with_layer(0, size=27),
        with_layer(1, channels=9),
        with_layer(9, stride=1),
        with_layer(16, size=2),
    ],
)
def test_layers_that_do_not_lead_from_an_image_to_ten_numbers(layers):
    assert network_problem(records.weights(), layers) == "its layers do not follow from each other"
