import pytest

from backprop.derivation import derive
from backprop.network import Kind, build_network, gradient_name, gradient_variable
from backprop.networks.presets import PRESETS

EXPECTED_KINDS = {
    "t1": "target",
    "i2": "input",
    "w8": "weight",
    "b1": "bias",
    "h1": "net input",
    "o2": "net input",
    "a_h1": "activation",
    "E1": "error",
    "E_total": "total error",
    "dE_dw3": "gradient",
    "dE_db2": "gradient",
}


def test_a_network_tells_what_each_quantity_is():
    network = PRESETS["mazur"].network
    assert {name: network.kind(name).value for name in EXPECTED_KINDS} == EXPECTED_KINDS


@pytest.mark.parametrize("name", ["eta", "w9", "dE_dw9", "E3", ""])
def test_a_name_of_no_quantity_has_no_kind(name):
    with pytest.raises(KeyError):
        PRESETS["class"].network.kind(name)


def test_every_column_of_any_network_has_a_kind():
    derivation = derive(build_network((3, 4, 2, 2), ["tanh"], biases="per neuron"))
    kinds = [derivation.network.kind(name) for name in derivation.columns]
    assert kinds.count(Kind.GRADIENT) == kinds.count(Kind.WEIGHT) + kinds.count(Kind.BIAS) == 24 + 8
    assert kinds.count(Kind.NET_INPUT) == kinds.count(Kind.ACTIVATION) == 8


def test_a_gradients_name_leads_back_to_its_quantity():
    assert gradient_variable(gradient_name("w5")) == "w5"
    assert gradient_variable("E_total") is None
