from dataclasses import replace

import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from presets import invent

from backprop.activations import ACTIVATIONS, expand_functions, rule_remainder
from backprop.derivation import as_taught, derive, slips, verify_gradients
from backprop.network import ACTIVATION_NAMES, LOSS_NAMES, build_network
from backprop.networks.presets import PRESETS
from backprop.simulate import simulate

CLASS = derive(PRESETS["class"].network)
MAZUR = derive(PRESETS["mazur"].network)
numbers = st.floats(-3, 3).map(lambda x: round(x, 6))


def evaluate(derivation, values):
    """Put numbers into the ordered equations, one after the other, in 30-digit arithmetic."""
    known = {sp.Symbol(name): sp.Float(value, 30) for name, value in values.items()}
    for equation in (*derivation.forward, *derivation.gradients):
        expression = expand_functions(equation.expression)
        known[equation.symbol] = expression.xreplace(known).evalf(30)
    return {str(symbol): float(value) for symbol, value in known.items()}


def gradients_by_autograd(values, biases):
    """The same network written down again, in torch, for torch to differentiate."""
    import torch  # `make quick` runs the other tests without

    x = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()}
    b1, b2 = (x["b1"], x["b2"]) if biases else (0.0, 0.0)
    a1 = torch.sigmoid(x["w1"] * x["i1"] + x["w2"] * x["i2"] + b1)
    a2 = torch.sigmoid(x["w3"] * x["i1"] + x["w4"] * x["i2"] + b1)
    y1 = torch.sigmoid(x["w5"] * a1 + x["w6"] * a2 + b2)
    y2 = torch.sigmoid(x["w7"] * a1 + x["w8"] * a2 + b2)
    error = ((x["t1"] - y1) ** 2 + (x["t2"] - y2) ** 2) / 2
    error.backward()
    return error.item(), [x[f"w{n}"].grad.item() for n in range(1, 9)]


@pytest.mark.parametrize("derivation", [CLASS, MAZUR], ids=["class", "mazur"])
@settings(deadline=None)  # a busy machine is no fault of the derivation
@given(data=st.data())
def test_gradients_are_those_of_autograd(derivation, data):
    names = (*derivation.constants, *derivation.network.weights)
    values = {name: data.draw(numbers, label=name) for name in names}
    ours = evaluate(derivation, values)
    error, gradients = gradients_by_autograd(values, derivation.network.biases)
    assert ours["E_total"] == pytest.approx(error, rel=1e-11, abs=1e-12)
    assert [ours[f"dE_dw{n}"] for n in range(1, 9)] == pytest.approx(gradients, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("derivation", [CLASS, MAZUR], ids=["class", "mazur"])
def test_every_product_of_factors_is_the_direct_derivative(derivation):
    identities = verify_gradients(derivation)
    assert len(identities) == 9
    assert all(identity.holds for identity in identities)


def test_the_proof_fails_for_the_class_sheets_slip():
    assert [p.statement[:6] for p in verify_gradients(as_taught(CLASS)) if not p.holds] == ["dE_dw3", "dE_dw4"]


def test_a_gradient_reads_like_the_class_sheet():
    text = {e.name: sp.sstr(e.expression, order="none") for e in CLASS.gradients}
    assert text["dE_dw5"] == "(a_o1 - t1)*a_o1*(1 - a_o1)*a_h1"
    assert text["dE_dw3"] == ("((a_o1 - t1)*a_o1*(1 - a_o1)*w6 + (a_o2 - t2)*a_o2*(1 - a_o2)*w8)*a_h2*(1 - a_h2)*i1")


def test_the_slip_is_the_first_neurons_derivative_in_place_of_the_seconds():
    a_h1, a_h2 = sp.symbols("a_h1 a_h2")
    assert [slip.name for slip in slips(CLASS)] == ["dE_dw3", "dE_dw4"]
    for slip in slips(CLASS):
        ratio = sp.simplify(slip.taught.doit() / slip.derived.doit())
        assert sp.simplify(ratio - a_h1 * (1 - a_h1) / (a_h2 * (1 - a_h2))) == 0


def test_each_equation_uses_only_symbols_before_it():
    known = set(sp.symbols((*MAZUR.constants, *MAZUR.network.weights)))
    for equation in (*MAZUR.forward, *MAZUR.gradients):
        assert equation.expression.free_symbols <= known
        known.add(equation.symbol)


def test_a_symbol_that_feeds_both_outputs_gets_one_sum():
    (factor,) = CLASS.chains.factors(sp.Symbol("a_h1"))
    assert isinstance(factor, sp.Add)
    assert len(factor.args) == 2


def measured_by_torch(loss, targets, outputs):
    """The total error by torch's own functions."""
    import torch

    if loss == "cross-entropy":
        return torch.nn.BCELoss(reduction="sum")(outputs, targets)
    return torch.nn.MSELoss()(outputs, targets) * (len(targets) / 2 if loss == "half squared error" else 1)


def layered_by_autograd(network, values):
    """Any network once more, as matrices, for torch to differentiate: total error, gradients by parameter name."""
    import torch

    signal = torch.tensor([values[name] for name in network.inputs], dtype=torch.float64)
    leaves = []
    functions = {"leaky relu": torch.nn.functional.leaky_relu, "linear": lambda x: x}
    for layer, name in zip(network.layers, network.activations, strict=True):
        weights = torch.tensor([[values[w] for w in n.weights] for n in layer], dtype=torch.float64, requires_grad=True)
        leaves.append(([w for n in layer for w in n.weights], weights))
        signal = weights @ signal
        if layer[0].bias is not None:
            bias = torch.tensor([values[n.bias] for n in layer], dtype=torch.float64, requires_grad=True)
            leaves.append(([n.bias for n in layer], bias))
            signal = signal + bias
        signal = (functions.get(name) or getattr(torch, name))(signal)
    targets = torch.tensor([values[name] for name in network.targets], dtype=torch.float64)
    error = measured_by_torch(network.loss, targets, signal)
    error.backward()
    names = [name for names, _ in leaves for name in names]
    return error.item(), dict(zip(names, torch.cat([leaf.grad.flatten() for _, leaf in leaves]).tolist(), strict=True))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    sizes=st.lists(st.integers(1, 4), min_size=3, max_size=5),
    activations=st.lists(st.sampled_from(ACTIVATION_NAMES), min_size=4, max_size=4),
    biases=st.sampled_from(["none", "per neuron"]),
    loss=st.sampled_from(LOSS_NAMES),
    data=st.data(),
)
def test_any_network_has_the_gradients_of_autograd(sizes, activations, biases, loss, data):
    activations = activations[: len(sizes) - 1]
    if loss == "cross-entropy":
        activations[-1] = "sigmoid"
    preset = invent(sizes, activations, biases, loss=loss)
    network = preset.network
    values = {name: data.draw(numbers, label=name) for name in preset.values}
    values |= {name: data.draw(st.floats(0, 1), label=name) for name in network.targets}
    trace = simulate(derive(network), replace(preset, values=values), 0.1, 1)
    ours = dict(zip(trace.columns, trace.values[0].tolist(), strict=True))
    # torch's BCELoss keeps logarithms and derivatives of saturated outputs within bounds.
    outputs = [ours[neuron.activation] for neuron in network.layers[-1]]
    assume(loss != "cross-entropy" or all(0.001 < output < 0.999 for output in outputs))
    error, gradients = layered_by_autograd(network, values)
    assert ours["E_total"] == pytest.approx(error, rel=1e-11, abs=1e-12)
    assert gradients.keys() == set(network.parameters)
    for name, gradient in gradients.items():
        assert ours[f"dE_d{name}"] == pytest.approx(gradient, rel=1e-11, abs=1e-12), name


def test_of_a_large_network_one_weight_and_bias_of_each_layer_are_verified():
    derivation = derive(build_network((6, 9, 5), biases="per neuron"))
    identities = verify_gradients(derivation)
    assert all(identity.holds for identity in identities)
    assert [identity.statement.split(":")[0] for identity in identities[1:]] == [
        "dE_dw1",
        "dE_db1",
        "dE_dw55",
        "dE_db10",
    ]


def test_a_shared_bias_has_the_sum_of_its_neurons_gradients():
    shared = replace(PRESETS["mazur"].network, trains_biases=True)
    values = PRESETS["mazur"].values
    trace = simulate(derive(shared), PRESETS["mazur"], 0.5, 1)
    own = build_network((2, 2, 2), biases="per neuron")
    split = {**values, "b1": values["b1"], "b2": values["b1"], "b3": values["b2"], "b4": values["b2"]}
    _, gradients = layered_by_autograd(own, split)
    assert trace.column("dE_db1")[0] == pytest.approx(gradients["b1"] + gradients["b2"], rel=1e-11)
    assert trace.column("dE_db2")[0] == pytest.approx(gradients["b3"] + gradients["b4"], rel=1e-11)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activations_derivative_is_sympys(name):
    assert rule_remainder(ACTIVATIONS[name]) == 0


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_proof_holds_for_larger_networks(activation):
    assert all(
        identity.holds
        for identity in verify_gradients(derive(build_network((2, 3, 2), [activation], biases="per neuron")))
    )
