import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from presets import CLASS_LIKE

from backprop.derivation import derive, slopes
from backprop.network import gradient_name
from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from backprop.simulate import compute_iteration_0
from reports.views.explorer import LineWidth, view_explorer

MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture(scope="module", params=CLASS_LIKE)
def preset(request):
    return PRESETS[request.param]


@pytest.fixture(scope="module")
def view(preset):
    return view_explorer(compute_part1(preset, 0.7))


def lines(part):
    return [line for line in (part.forward, *part.backward, part.update) if line]


def test_every_weight_node_input_and_target_is_explained_once(view, preset):
    network = preset.network
    neurons = [name for layer in network.layers for n in layer for name in (n.name, n.activation)]
    named = [*network.inputs, *network.weights, *neurons, *network.targets, *network.errors, "E_total"]
    assert sorted(part.key for part in view.parts) == sorted(named)


def test_every_mark_in_a_formula_has_a_value(view, preset):
    derivation = derive(preset.network)
    known = {*derivation.columns, *derivation.constants, *slopes(derivation), "eta"}
    known |= {f"next_{name}" for name in preset.network.parameters}
    for part in view.parts:
        for line in lines(part):
            root = ElementTree.fromstring(line.right)
            marks = [element.get("data-value") for element in root.iter() if element.get("data-value")]
            assert set(marks) <= known
            assert line.result in known


def test_weights_have_a_path_by_names_and_in_letters_and_an_update(view, preset):
    for part in view.parts:
        if part.key in preset.network.weights:
            assert len(part.backward) == 2
            assert part.backward[0].text.startswith(f"∂E_total/∂{part.key} = ")
            assert f"/∂{part.key}" in part.backward[0].text.split(" = ")[1]
            assert part.update.text.startswith(f"{part.key}_new = {part.key} - η")


def test_local_slopes_agree_with_differences_of_the_network(preset):
    """Move one value a little in the equations themselves, and see how the next ones move."""
    derivation = derive(preset.network)
    row = {**preset.values, **compute_iteration_0(derivation, preset, [{}])[0]}
    expressions = slopes(derivation)
    assert len(expressions) > 30
    for name, expression in expressions.items():
        if "_by_" not in name:
            continue
        above, below = re.fullmatch(r"(.+)_by_(.+)", name).groups()
        equation = derivation.equation(above).expression
        step = 1e-6
        moved = [_value(equation, row | {below: row[below] + sign * step}) for sign in (1, -1)]
        assert _value(expression, row) == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-6, abs=1e-9)


def _value(expression, row):
    from backprop.activations import expand_functions

    return float(expand_functions(expression).subs({s: row[str(s)] for s in expression.free_symbols}).evalf())


def test_gradients_of_nodes_agree_with_a_shift_in_the_network(preset):
    """Shift a net input by way of a bias that it alone reads, and see how the error moves."""
    derivation = derive(preset.network)
    hidden, output = preset.network.layers
    own = tuple(tuple(replace(neuron, bias=f"shift_{neuron.name}") for neuron in layer) for layer in (hidden, output))
    shifted = derive(replace(preset.network, layers=own))
    biases = {f"shift_{n.name}": preset.values.get(n.bias, 0.0) for layer in (hidden, output) for n in layer}
    start = replace(preset, network=shifted.network, values={**preset.values, **biases})
    row = {**preset.values, **compute_iteration_0(derivation, preset, [{}])[0]}
    for neuron in (*hidden, *output):
        name = f"shift_{neuron.name}"
        up, down = compute_iteration_0(shifted, start, [{name: biases[name] + 1e-5}, {name: biases[name] - 1e-5}])
        slope = (up["E_total"] - down["E_total"]) / 2e-5
        assert _value(slopes(derivation)[gradient_name(neuron.name)], row) == pytest.approx(slope, rel=1e-6)


def test_the_first_start_is_the_pages_own_and_all_belong_to_its_network(view, preset):
    own, *others = view.settings.starts
    assert (own.name, own.learning_rate, own.values) == (preset.name, 0.7, dict(preset.values))
    assert all(PRESETS[start.name].network == preset.network for start in others)


@pytest.mark.parametrize(
    ("gradient", "width"),
    [(1.0, 8.0), (0.1, 6.8), (-1e-6, 0.8), (1e-30, 0.8), (0.0, 0.8), (1e9, 9.2), (float("nan"), 0.8)],
)
def test_a_line_is_as_thick_as_its_gradient_is_large(gradient, width):
    assert LineWidth().of(gradient) == pytest.approx(width)
