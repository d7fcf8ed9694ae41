"""The live explorer as readers use it: its numbers against NumPy's and torch's, its words, its keyboard."""

import random
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
import torch
from agreement import agrees
from tabs import DRAWN, drawn, fill, open_tab, wait_until

from backprop.derivation import derive, slopes
from backprop.networks.presets import PRESETS
from backprop.part1 import evaluate
from backprop.simulate import simulate, simulate_many
from reports.formats import brief, significant
from reports.views.explorer import ITERATIONS, LineWidth

CLASS = PRESETS["class"]
DERIVATION = derive(CLASS.network)


@pytest.fixture(scope="module", params=["class", "mazur"])
def any_tab(request, browser, tab, one_epoch_page):
    """Give a page of each network, and the preset that it starts from."""
    if request.param == "class":
        yield tab, CLASS
        return
    page = open_tab(browser, one_epoch_page)
    wait_until(page, "page.explorer")
    yield page, PRESETS["mazur"]
    page.context.close()


def random_values(preset, numbers):
    values = {name: numbers.uniform(-2, 2) for name in preset.values}
    return values | {name: numbers.uniform(0, 1) for name in preset.network.targets}


def test_ten_thousand_numbers_agree_with_numpy(any_tab):
    page, preset = any_tab
    derivation, numbers = derive(preset.network), random.Random(5)
    compared = 0
    for _ in range(22):
        values, eta = random_values(preset, numbers), 10 ** numbers.uniform(-3, 1)
        iterations = [0, 1, *sorted(numbers.sample(range(2, ITERATIONS + 1), 14))]
        found = page.evaluate(
            """([values, eta, iterations, columns, updates]) => {
                const rows = page.runNetwork(values, eta, updates);
                return iterations.map(k => columns.map(name => rows[k][name]));
            }""",
            [values, eta, iterations, derivation.columns, iterations[-1]],
        )
        expected = simulate_many(derivation, replace(preset, values=values), [eta], iterations[-1] + 1)[0]
        assert agrees(found, expected[iterations]).all()
        compared += np.size(found)
    assert compared >= 10_000


def test_the_gradient_of_every_node_agrees_with_autograd(any_tab):
    page, preset = any_tab
    numbers = random.Random(6)
    for _ in range(20):
        values = random_values(preset, numbers)
        found = page.evaluate(
            "values => page.networkSlopes({...values, ...page.runNetwork(values, 1, 0)[0]})",
            values,
        )
        for name, gradient in autograd(preset.network, values).items():
            assert agrees(found[f"dE_d{name}"], gradient), name


def autograd(network, values):
    """Compute the network in torch, with every value kept, and let torch differentiate."""
    kept, sources = {}, [torch.tensor(values[name], dtype=torch.float64) for name in network.inputs]
    for layer in network.layers:
        outputs = []
        for neuron in layer:
            terms = [values[w] * source for w, source in zip(neuron.weights, sources, strict=True)]
            net = torch.as_tensor(sum(terms) + values.get(neuron.bias, 0.0)).requires_grad_()
            kept[neuron.name] = net
            kept[neuron.activation] = torch.sigmoid(net)
            outputs.append(kept[neuron.activation])
        sources = outputs
    error = sum((values[t] - a) ** 2 / 2 for t, a in zip(network.targets, sources, strict=True))
    for value in kept.values():
        value.retain_grad()
    error.backward()
    return {name: float(value.grad) for name, value in kept.items()}


def test_numbers_are_spelled_as_in_the_rest_of_the_page(tab):
    numbers = random.Random(7)
    values = [0.0, 1.0, -0.5, 1e-3, 9.9999e-4, 999.96, 1e5, -2.5e-7, 1e300, 5e-324, 0.1 + 0.2]
    values += [numbers.choice((-1, 1)) * 10 ** numbers.uniform(-12, 9) for _ in range(2000)]
    found = tab.evaluate(
        "values => values.map(v => [...[9, 4].map(digits => page.formatSignificant(v, digits)), page.formatBrief(v)])",
        values,
    )
    assert found == [[significant(v, 9), significant(v, 4), brief(v)] for v in values]


def test_the_drawing_follows_every_number_that_is_changed(explorer):
    values = dict(CLASS.values)
    for place, name in enumerate(values):
        values[name] = round(0.31 + 0.07 * place, 2)
        fill(explorer, name, str(values[name]))
        row = simulate(DERIVATION, replace(CLASS, values=values), CLASS.learning_rate, 1)
        shown = drawn(explorer)
        assert len(shown) == 2 + 2 + 8 + 8 + 3
        assert shown == {key: brief(float(row.column(key)[0])) for key in shown}
    explorer.click("#explorer-reset")
    assert explorer.input_value("#explorer-w1") == "0.15"
    assert drawn(explorer)["E_total"] == "0.01418"


def test_the_iteration_is_chosen_by_slider_buttons_and_playing(explorer):
    trace = simulate(DERIVATION, CLASS, 1.0, 201)
    explorer.fill("#explorer-iteration", "120")
    assert drawn(explorer)["E_total"] == brief(float(trace.column("E_total")[120]))
    explorer.click("#explorer-step")
    explorer.click("#explorer-step")
    explorer.click("#explorer-back")
    assert explorer.text_content("#explorer-iteration-number") == "121"
    assert drawn(explorer)["w5"] == brief(float(trace.column("w5")[121]))
    explorer.click("#explorer-play")
    wait_until(explorer, "page.explorer.state.iteration > 123")
    explorer.click("#explorer-play")
    stopped = explorer.evaluate("page.explorer.state.iteration")
    explorer.wait_for_timeout(200)
    assert explorer.evaluate("page.explorer.state.iteration") == stopped


def test_gradients_come_back_with_size_and_sign(explorer):
    explorer.select_option("#explorer-start", label=PRESETS["class-0.01-0.99"].description)
    explorer.check("[name=explorer-view][value=backward]")
    trace = simulate(DERIVATION, PRESETS["class-0.01-0.99"], 1.0, 1)
    wires = explorer.evaluate(
        f"""() => [...document.querySelectorAll("{DRAWN}.wire-piece")].map(piece => [piece.dataset.key,
            piece.querySelector(".value")?.textContent, piece.querySelector(".wire").getAttribute("class"),
            Number(piece.querySelector(".wire").getAttribute("stroke-width"))])"""
    )
    weights = [wire for wire in wires if ">" not in wire[0]]
    assert len(weights) == 8
    assert {wire[2] for wire in weights} == {"wire plus", "wire minus"}
    for key, text, kind, width in weights:
        gradient = float(trace.column(f"dE_d{key}")[0])
        assert text == ("+" if gradient > 0 else "") + brief(gradient, 3)
        assert kind == ("wire plus" if gradient > 0 else "wire minus")
        assert text[0] == ("+" if gradient > 0 else "−")
        assert width == pytest.approx(LineWidth().of(gradient), abs=0.01)


def test_the_path_is_what_moves_when_the_part_is_moved(explorer):
    before = simulate(DERIVATION, CLASS, 1.0, 1).values[0]
    for weight in CLASS.network.weights:
        explorer.evaluate("key => document.querySelector(`#explorer-network [data-key=${key}]`).focus()", weight)
        moved = replace(CLASS, values={**CLASS.values, weight: CLASS.values[weight] + 0.5})
        after = simulate(DERIVATION, moved, 1.0, 1).values[0]
        names = {name for name, a, b in zip(DERIVATION.columns, before, after, strict=True) if a != b}
        marked = set(explorer.evaluate(f"[...document.querySelectorAll('{DRAWN}.on-path')].map(p => p.dataset.key)"))
        assert {key for key in marked if ">" not in key and key[0] != "w"} == {n for n in names if n[:2] != "dE"} - {
            weight
        }
        assert weight in marked
        assert {key for key in marked if ">" in key} == {f"{a}>{b}" for a, b in _ERROR_WIRES if {a, b} <= names}


_ERROR_WIRES = (("a_o1", "E1"), ("a_o2", "E2"), ("E1", "E_total"), ("E2", "E_total"))


def test_a_part_shows_its_formula_its_numbers_and_its_result(explorer):
    explorer.hover("#explorer-network [data-key=a_h1] text >> nth=1")
    told = explorer.text_content("#explorer-explained")
    assert "output of neuron" in told
    results = explorer.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[0] == "=" + significant(0.506874566764534, 6)
    explorer.hover("#explorer-network [data-key=w5] text")
    gradient = float(simulate(DERIVATION, CLASS, 1.0, 1).column("dE_dw5")[0])
    results = explorer.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[:2] == ["=" + significant(gradient, 6)] * 2
    factors = explorer.locator("#explorer-explained .figures").first.locator("math").first.text_content()
    product = np.prod([float(factor) for factor in factors.removeprefix("=").split("·")])
    assert product == pytest.approx(gradient, rel=1e-5)


def test_a_row_is_copied_and_downloaded_to_the_last_digit(explorer, tmp_path):
    explorer.fill("#explorer-eta", "0.3")
    explorer.fill("#explorer-iteration", "12")
    expected = simulate(DERIVATION, CLASS, 0.3, 13).values[12]
    explorer.click("#explorer-copy")
    wait_until(explorer, "document.getElementById('explorer-row-said').textContent === 'Copied.'")
    copied = explorer.evaluate("navigator.clipboard.readText()")
    cells = copied.split("\t")
    assert len(cells) == 31
    assert agrees([float(cell) for cell in cells], expected).all()
    # A spelling that loses nothing: the same double comes back.
    row = explorer.evaluate("columns => columns.map(name => page.explorer.rows[12][name])", DERIVATION.columns)
    assert [float(cell) for cell in cells] == row
    assert explorer.input_value("#explorer-row") == copied
    with explorer.expect_download() as download:
        explorer.click("#explorer-download")
    assert download.value.suggested_filename == "iteration-12.tsv"
    download.value.save_as(tmp_path / "row.tsv")
    assert (tmp_path / "row.tsv").read_text() == copied + "\n"


def test_the_curve_is_drawn_where_numpy_says(explorer):
    explorer.select_option("#explorer-horizon", "67")
    errors = simulate(DERIVATION, CLASS, 1.0, 68).column("E_total")
    for logarithmic in (False, True):
        explorer.set_checked("#explorer-logarithmic", logarithmic)
        d = explorer.get_attribute("#explorer-curve .curve", "d")
        points = np.array([point.split() for point in d.removeprefix("M").split("L")], float)
        heights = np.log(errors) if logarithmic else errors
        # A straight line has to map the values to the heights on the screen.
        fitted = np.polyval(np.polyfit(heights, points[:, 1], 1), heights)
        assert len(points) == 68
        assert np.abs(fitted - points[:, 1]).max() < 0.1
        assert np.ptp(points[:, 1]) > 150
    assert "0.01418 at iteration 0 to 0.0001968 at iteration 67" in explorer.get_attribute(
        "#explorer-curve svg", "aria-label"
    )


def test_data_is_there_in_tables_on_demand(explorer):
    explorer.click("#explorer-values-details summary")
    explorer.click("#explorer-errors-details summary")
    trace = simulate(DERIVATION, CLASS, 1.0, 201)
    names = explorer.locator("#explorer-values th").all_text_contents()
    cells = [float(cell) for cell in explorer.locator("#explorer-values td").all_text_contents()]
    assert agrees(cells[: len(trace.columns)], trace.values[0]).all()
    # What the drawing shows beside the sheet's columns: the gradients of sums, activations and errors.
    values = {sp.Symbol(name): value for name, value in zip(trace.columns, trace.values[0], strict=True)}
    more = {name: evaluate(expression, values) for name, expression in slopes(DERIVATION).items() if name[:2] == "dE"}
    assert dict(zip(names[len(trace.columns) :], cells[len(trace.columns) :], strict=True)) == pytest.approx(more)
    assert explorer.locator("#explorer-errors tr").count() == 201
    assert explorer.locator("#explorer-errors td").last.text_content() == significant(
        float(trace.column("E_total")[200])
    )
    explorer.click("#explorer-values-details summary")
    explorer.click("#explorer-errors-details summary")
