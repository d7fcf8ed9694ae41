"""Networks as files: what they mean, and what is said of a wrong one."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presets import write_network

from backprop.derivation import derive
from backprop.errors import BackpropError
from backprop.network import ACTIVATION_NAMES
from backprop.networks import list_networks, read_text
from backprop.networks.presets import PRESETS, load_network, parse_network
from backprop.simulate import simulate

CLASS = read_text("class")


def test_the_class_comes_first_and_each_file_is_a_network():
    assert list_networks()[0] == "class" == next(iter(PRESETS))
    for name in list_networks():
        preset = PRESETS[name]
        assert (preset.name, preset.description) == (name, tomllib.loads(read_text(name))["title"])
        assert set(preset.values) == {
            *(*preset.network.targets, *preset.network.inputs, *preset.network.weights, *preset.network.biases)
        }


def test_the_class_network_is_the_class_sheets():
    preset = PRESETS["class"]
    hidden, output = preset.network.layers
    assert [(n.name, n.weights, n.bias) for n in hidden] == [("h1", ("w1", "w2"), None), ("h2", ("w3", "w4"), None)]
    assert [(n.name, n.weights, n.bias) for n in output] == [("o1", ("w5", "w6"), None), ("o2", ("w7", "w8"), None)]
    weights = (0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55)
    assert list(preset.values.values()) == [0.5, 0.5, 0.05, 0.1, *weights]
    assert (preset.learning_rate, preset.iterations) == (1.0, 68)


def test_a_layers_neurons_share_a_bias_or_have_their_own():
    for kind, expected in (
        ("none", [None] * 4),
        ("per layer", ["b1", "b1", "b2", "b2"]),
        ("per neuron", ["b1", "b2", "b3", "b4"]),
    ):
        network = parse_network(write_network((2, 2, 2), biases=kind), "a test", "x").network
        assert [neuron.bias for layer in network.layers for neuron in layer] == expected
        assert network.trains_biases is (kind != "none")


def test_drawn_values_are_the_same_every_time_and_named_ones_go_first():
    text = write_network((3, 4, 2), biases="per neuron")
    first, second = (parse_network(text, "a test", "x") for _ in range(2))
    assert first == second
    drawn = [first.values[name] for name in (*first.network.weights, *first.network.biases)]
    assert len(set(drawn)) > 20
    assert all(0.1 <= value <= 0.6 for value in drawn)
    named = parse_network(text.replace("[start]", "[start]\nw3 = -2\nb1 = 7.5"), "a test", "x")
    assert {name: value for name, value in named.values.items() if first.values[name] != value} == {
        "w3": -2.0,
        "b1": 7.5,
    }
    other = parse_network(text.replace("seed = 1", "seed = 2"), "a test", "x")
    assert [other.values[name] for name in first.network.weights] != drawn[: len(first.network.weights)]


WRONG = [
    ("layers = [2, 2, 2]", "layers = [2, 2]", "network.layers has 2 sizes: give 3 to 7"),
    ("layers = [2, 2, 2]", "layers = [2, 0, 2]", "network.layers: 0 is not in 1 to 50"),
    ("layers = [2, 2, 2]", "layers = [2, 2.5, 2]", "network.layers[1]: Expected int, got float"),
    ("layers = [2, 2, 2]", 'layers = "2,2,2"', "network.layers: Expected array, got str"),
    ("layers = [2, 2, 2]", "layer = [2, 2, 2]", "network.layer is unknown: did you mean layers?"),
    ("layers = [2, 2, 2]", "", "network: Object missing required field layers"),
    ("[network]", "[netwrok]", "netwrok is unknown: did you mean network?"),
    ('activations = "sigmoid"', 'activations = "softplus"', "network.activations: 'softplus' is none of sigmoid, tanh"),
    ('activations = "sigmoid"', 'activations = ["tanh"]', "network.activations has 1 names: give one, or 2"),
    ('loss = "half squared error"', 'loss = "hinge"', "network.loss: 'hinge' is none of half squared error, mean"),
    ('activations = "sigmoid"', 'loss = "cross-entropy"\nactivations = "tanh"', "Cannot overwrite a value"),
    ('biases = "none"', 'biases = "some"', "network.biases: Invalid enum value 'some'"),
    ("inputs = [0.05, 0.1]", "inputs = [0.05]", "samples.inputs has 1 numbers, and the network 2 of them: i1, i2"),
    ("inputs = [0.05, 0.1]", "inputs = [0.05, nan]", "i2 is nan: give a finite number"),
    ("inputs = [0.05, 0.1]", 'inputs = [0.05, "a"]', "samples[0].inputs[1]: Expected float, got str"),
    ("targets = [0.5, 0.5]", "target = [0.5, 0.5]", "samples.target is unknown: did you mean targets?"),
    ("w8 = 0.55", "", "start has no w8: name each, or give init"),
    ("w8 = 0.55", "w9 = 0.55", "start.w9 is no weight or bias of this network: did you mean w"),
    ("w8 = 0.55", "w8 = true", "start[...]: Expected float | object, got bool"),
    ("w8 = 0.55", "init = 1.0", "start.init: give { low = 0.1, high = 0.6, seed = 1 }"),
    ("learning_rate = 1.0", "learning_rate = 0", "training.learning_rate is 0.0: give a number above 0"),
    ("learning_rate = 1.0", "learning_rate = inf", "training.learning_rate is inf: give a finite number"),
    ("iterations = 68", "iterations = 0", "training.iterations: 0 is not in 1 to 10,000,000"),
    ("title =", "title", "my.toml is no TOML: Expected '=' after a key"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[new or old for old, new, _ in WRONG])
def test_a_wrong_file_gets_one_line_with_the_key(old, new, expected):
    assert old in CLASS
    with pytest.raises(BackpropError) as caught:
        parse_network(CLASS.replace(old, new), "my.toml", "my.toml")
    assert str(caught.value).startswith("my.toml")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cross_entropy_needs_probabilities():
    text = CLASS.replace('"half squared error"', '"cross-entropy"')
    assert parse_network(text, "my.toml", "my.toml").network.loss == "cross-entropy"
    with pytest.raises(BackpropError, match="cross-entropy needs sigmoid in the last layer, which has tanh"):
        parse_network(text.replace('"sigmoid"', '["sigmoid", "tanh"]'), "my.toml", "my.toml")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(BackpropError):
        parse_network(f"{text}\n[nothing]", "my.toml", "my.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[network]\n" * 100_001])
def test_files_that_are_none_are_refused(tmp_path, content):
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    with pytest.raises(BackpropError, match=r"my\.toml"):
        load_network(str(path))


@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.sampled_from(ACTIVATION_NAMES))
def test_every_network_runs(sizes, activation):
    preset = parse_network(write_network(sizes, activation, "per neuron"), "a test", "x")
    trace = simulate(derive(preset.network), preset, preset.learning_rate, 2)
    assert trace.values.shape[0] == 2


def test_training_helps_the_shipped_networks():
    for preset in PRESETS.values():
        errors = simulate(derive(preset.network), preset, preset.learning_rate, preset.iterations).column("E_total")
        assert errors[-1] < errors[0] / 2
