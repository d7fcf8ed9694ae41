"""The live explorer as readers use it: its numbers against NumPy's and torch's, its words, its keyboard."""

import random
import statistics
from dataclasses import replace

import numpy as np
import pytest
import torch
from agreement import agrees
from axe_playwright_python.base import AXE_FILE_PATH

from backprop.derivation import derive
from backprop.network import PRESETS
from backprop.simulate import simulate, simulate_many
from reports.formats import brief, significant
from reports.view_explorer import ITERATIONS, LineWidth

CLASS = PRESETS["class"]
DERIVATION = derive(CLASS.network)
COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective));
"""
DRAWN = "#explorer-network [data-key]"


def open_tab(browser, path, **options):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    context.add_init_script(COUNT_VIOLATIONS)
    page = context.new_page()
    page.noted = {"requests": [], "messages": []}
    page.on("request", lambda request: page.noted["requests"].append(request.url))
    page.on("console", lambda message: page.noted["messages"].append(message.text))
    page.on("pageerror", lambda error: page.noted["messages"].append(str(error)))
    page.goto(path.as_uri())
    return page


def wait_until(page, condition):
    # Playwright's own waiting evaluates its condition inside the page, which the policy forbids.
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{condition} did not come true")


@pytest.fixture(scope="module")
def tab(browser, hostile_page):
    """Open the class page once for all tests here; nothing that they do may ask for anything or break the policy."""
    page = open_tab(browser, hostile_page, permissions=["clipboard-read", "clipboard-write"])
    wait_until(page, "liveExplorer && liveComparison")
    yield page
    assert [url for url in page.noted["requests"] if not url.startswith("data:")] == [hostile_page.as_uri()]
    assert page.noted["messages"] == []
    assert page.evaluate("violations") == []
    page.context.close()


@pytest.fixture
def page(tab):
    """Give the page as it is after loading."""
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.evaluate("document.activeElement.blur()")
    tab.check("[name=explorer-view][value=forward]")
    tab.uncheck("#explorer-logarithmic")
    tab.select_option("#explorer-horizon", "200")
    tab.select_option("#explorer-start", "0")
    tab.click("#explorer-reset")
    return tab


@pytest.fixture(scope="module", params=["class", "mazur"])
def any_tab(request, browser, tab, one_epoch_page):
    """Give a page of each network, and the preset that it starts from."""
    if request.param == "class":
        yield tab, CLASS
        return
    page = open_tab(browser, one_epoch_page)
    wait_until(page, "liveExplorer")
    yield page, PRESETS["mazur"]
    page.context.close()


def random_values(preset, numbers):
    values = {name: numbers.uniform(-2, 2) for name in preset.values}
    return values | {name: numbers.uniform(0, 1) for name in preset.network.targets}


def drawn(page):
    """Read what the drawing says: text by key."""
    return page.evaluate(
        f"""() => Object.fromEntries([...document.querySelectorAll("{DRAWN}")]
            .filter(piece => piece.querySelector(".value"))
            .map(piece => [piece.dataset.key, piece.querySelector(".value").textContent]))"""
    )


def fill(page, name, text):
    page.fill(f"#explorer-{name}", text)
    page.locator(f"#explorer-{name}").dispatch_event("change")


def test_ten_thousand_numbers_agree_with_numpy(any_tab):
    page, preset = any_tab
    derivation, numbers = derive(preset.network), random.Random(5)
    compared = 0
    for _ in range(22):
        values, eta = random_values(preset, numbers), 10 ** numbers.uniform(-3, 1)
        iterations = [0, 1, *sorted(numbers.sample(range(2, ITERATIONS + 1), 14))]
        found = page.evaluate(
            """([values, eta, iterations, columns, updates]) => {
                const rows = runNetwork(values, eta, updates);
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
            "values => networkSlopes({...values, ...runNetwork(values, 1, 0)[0]})",
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
        "values => values.map(v => [significantText(v, 9), significantText(v, 4), briefText(v)])", values
    )
    assert found == [[significant(v, 9), significant(v, 4), brief(v)] for v in values]


def test_the_drawing_follows_every_number_that_is_changed(page):
    values = dict(CLASS.values)
    for place, name in enumerate(values):
        values[name] = round(0.31 + 0.07 * place, 2)
        fill(page, name, str(values[name]))
        row = simulate(DERIVATION, replace(CLASS, values=values), CLASS.learning_rate, 1)
        shown = drawn(page)
        assert len(shown) == 2 + 2 + 8 + 8 + 3
        assert shown == {key: brief(float(row.column(key)[0])) for key in shown}
    page.click("#explorer-reset")
    assert page.input_value("#explorer-w1") == "0.15"
    assert drawn(page)["E_total"] == "0.01418"


def test_the_iteration_is_chosen_by_slider_buttons_and_playing(page):
    trace = simulate(DERIVATION, CLASS, 1.0, 201)
    page.fill("#explorer-iteration", "120")
    assert drawn(page)["E_total"] == brief(float(trace.column("E_total")[120]))
    page.click("#explorer-step")
    page.click("#explorer-step")
    page.click("#explorer-back")
    assert page.text_content("#explorer-iteration-told") == "121"
    assert drawn(page)["w5"] == brief(float(trace.column("w5")[121]))
    page.click("#explorer-play")
    wait_until(page, "liveExplorer.state.iteration > 123")
    page.click("#explorer-play")
    stopped = page.evaluate("liveExplorer.state.iteration")
    page.wait_for_timeout(200)
    assert page.evaluate("liveExplorer.state.iteration") == stopped


def test_gradients_come_back_with_size_and_sign(page):
    page.select_option("#explorer-start", label=PRESETS["class-0.01-0.99"].description)
    page.check("[name=explorer-view][value=backward]")
    trace = simulate(DERIVATION, PRESETS["class-0.01-0.99"], 1.0, 1)
    wires = page.evaluate(
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


def test_the_path_is_what_moves_when_the_part_is_moved(page):
    before = simulate(DERIVATION, CLASS, 1.0, 1).values[0]
    for weight in CLASS.network.weights:
        page.evaluate("key => document.querySelector(`#explorer-network [data-key=${key}]`).focus()", weight)
        moved = replace(CLASS, values={**CLASS.values, weight: CLASS.values[weight] + 0.5})
        after = simulate(DERIVATION, moved, 1.0, 1).values[0]
        names = {name for name, a, b in zip(DERIVATION.columns, before, after, strict=True) if a != b}
        marked = set(page.evaluate(f"[...document.querySelectorAll('{DRAWN}.on-path')].map(p => p.dataset.key)"))
        assert {key for key in marked if ">" not in key and key[0] != "w"} == {n for n in names if n[:2] != "dE"} - {
            weight
        }
        assert weight in marked
        assert {key for key in marked if ">" in key} == {f"{a}>{b}" for a, b in _ERROR_WIRES if {a, b} <= names}


_ERROR_WIRES = (("a_o1", "E1"), ("a_o2", "E2"), ("E1", "E_total"), ("E2", "E_total"))


def test_a_part_shows_its_formula_its_numbers_and_its_result(page):
    page.hover("#explorer-network [data-key=a_h1] text >> nth=1")
    told = page.text_content("#explorer-explained")
    assert "output of neuron" in told
    results = page.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[0] == "=" + significant(0.506874566764534, 6)
    page.hover("#explorer-network [data-key=w5] text")
    gradient = float(simulate(DERIVATION, CLASS, 1.0, 1).column("dE_dw5")[0])
    results = page.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[:2] == ["=" + significant(gradient, 6)] * 2
    factors = page.locator("#explorer-explained .figures").first.locator("math").first.text_content()
    product = np.prod([float(factor) for factor in factors.removeprefix("=").split("·")])
    assert product == pytest.approx(gradient, rel=1e-5)


def test_a_row_is_copied_and_downloaded_to_the_last_digit(page, tmp_path):
    page.fill("#explorer-eta", "0.3")
    page.fill("#explorer-iteration", "12")
    expected = simulate(DERIVATION, CLASS, 0.3, 13).values[12]
    page.click("#explorer-copy")
    wait_until(page, "document.getElementById('explorer-row-said').textContent === 'Copied.'")
    copied = page.evaluate("navigator.clipboard.readText()")
    cells = copied.split("\t")
    assert len(cells) == 31
    assert agrees([float(cell) for cell in cells], expected).all()
    # A spelling that loses nothing: the same double comes back.
    row = page.evaluate("columns => columns.map(name => liveExplorer.rows()[12][name])", DERIVATION.columns)
    assert [float(cell) for cell in cells] == row
    assert page.input_value("#explorer-row") == copied
    with page.expect_download() as download:
        page.click("#explorer-download")
    assert download.value.suggested_filename == "iteration-12.tsv"
    download.value.save_as(tmp_path / "row.tsv")
    assert (tmp_path / "row.tsv").read_text() == copied + "\n"


def test_a_row_can_be_selected_where_the_browser_does_not_copy(page):
    page.evaluate(
        """() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error("denied"));
        document.execCommand = () => false;
    }"""
    )
    page.click("#explorer-copy")
    wait_until(page, "document.getElementById('explorer-row-said').textContent.includes('selected')")
    assert page.evaluate("getSelection().toString()") == page.input_value("#explorer-row")
    page.evaluate("() => { delete navigator.clipboard.writeText; delete document.execCommand; }")


def press_tab_until(page, condition, limit=150):
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const active = document.activeElement; return {condition}; }})()"):
            return
    raise AssertionError(f"{condition} was never reached")


def test_the_keyboard_is_enough(page):
    page.focus("#explorer-eta-slider")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#explorer-eta") == "1.02"
    press_tab_until(page, "active.id === 'explorer-step'")
    page.keyboard.press("Enter")
    assert page.text_content("#explorer-iteration-told") == "1"
    press_tab_until(page, "active.dataset.key === 'w5'")
    page.keyboard.press("ArrowRight")
    key = page.evaluate("document.activeElement.dataset.key")
    assert key == "w7"
    row = simulate(DERIVATION, CLASS, 1.02, 2)
    label = page.get_attribute(f"#explorer-network [data-key={key}]", "aria-label")
    assert label == f"w7 = {brief(float(row.column('w7')[1]))}, weight from a_h1 to o2"
    results = page.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[0] == "=" + significant(float(row.column("dE_dw7")[1]), 6)
    wait_until(page, "document.getElementById('explorer-said').textContent.startsWith('w7, weight from a_h1')")
    assert page.evaluate("getComputedStyle(document.activeElement.querySelector('.ground')).strokeWidth") == "4px"


def test_what_overflows_is_said_as_the_sheet_shows_it(page):
    page.fill("#explorer-eta", "1e8")
    overflow = simulate(DERIVATION, CLASS, 1e8, 60).overflow
    assert f"overflows: from iteration {overflow} on" in page.text_content("#explorer-reading")
    page.fill("#explorer-iteration", str(overflow))
    expected = simulate(DERIVATION, CLASS, 1e8, overflow + 1).values[overflow]
    cells = page.input_value("#explorer-row").split("\t")
    assert [cell == "#NUM!" for cell in cells] == np.isnan(expected).tolist()
    assert "#NUM!" in drawn(page).values()


@pytest.mark.parametrize(
    ("start", "eta", "words"),
    [
        ("0", "1", "The error falls in every update. The error is halved in iteration 12."),
        (
            "1",
            "1e6",
            "is stuck from iteration 1 on, with 99 % of the error left. No gradient there is larger than 5.2 × 10⁻¹⁸",
        ),
        ("0", "1e-9", "hardly moves"),
    ],
)
def test_what_the_run_does_is_said(page, start, eta, words):
    page.select_option("#explorer-start", start)
    page.fill("#explorer-eta", eta)
    assert words in page.text_content("#explorer-reading").replace("\N{NO-BREAK SPACE}", " ")


def test_a_run_that_diverges_is_called_so(page):
    # Outputs that are nearly right at the start and a step far too long: the error ends larger than it began.
    for name, text in (("t1", "0.6"), ("t2", "0.63"), ("eta", "5000")):
        fill(page, name, text)
    values = {**CLASS.values, "t1": 0.6, "t2": 0.63}
    errors = simulate(DERIVATION, replace(CLASS, values=values), 5000.0, ITERATIONS + 1).column("E_total")
    assert errors[-1] > errors[0]
    assert "It diverges" in page.text_content("#explorer-reading")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("w3", "abc", "“abc” is not a number. 0.25 stays."),
        ("w3", "", "A number is missing. 0.25 stays."),
        ("w3", "0,5", "“0,5” is not a number. Write it with a point and without commas. 0.25 stays."),
        ("i1", "1e999", "“1e999” is not a number. 0.05 stays."),
        ("eta", "-1", "η must be above 0. 1 stays."),
        ("eta", "0", "η must be above 0. 1 stays."),
        ("t1", "<img src=x onerror=alert(1)>", "“<img src=x onerror=a” is not a number. 0.5 stays."),
    ],
)
def test_bad_input_is_refused_beside_its_field(page, name, text, complaint):
    before = drawn(page)
    fill(page, name, text)
    assert page.text_content(f"#explorer-{name}-complaint") == complaint
    assert page.get_attribute(f"#explorer-{name}", "aria-invalid") == "true"
    assert drawn(page) == before
    page.press(f"#explorer-{name}", "Escape")
    assert page.text_content(f"#explorer-{name}-complaint") == ""
    assert page.get_attribute(f"#explorer-{name}", "aria-invalid") is None


@pytest.mark.parametrize("text", ["1e-9", "0.004", "700", "1e12", "+.5", "5."])
def test_any_rate_above_0_is_taken_and_the_slider_follows(page, text):
    page.fill("#explorer-eta", text)
    assert page.evaluate("liveExplorer.state.eta") == float(text)
    expected = min(max(np.log10(float(text)), -3), 3)
    assert float(page.input_value("#explorer-eta-slider")) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_prefer_that(page, motion, moves):
    page.emulate_media(reduced_motion=motion)
    page.check("[name=explorer-view][value=backward]")
    assert (page.evaluate("document.getAnimations().length") > 0) is moves


def test_the_curve_is_drawn_where_numpy_says(page):
    page.select_option("#explorer-horizon", "67")
    errors = simulate(DERIVATION, CLASS, 1.0, 68).column("E_total")
    for logarithmic in (False, True):
        page.set_checked("#explorer-logarithmic", logarithmic)
        d = page.get_attribute("#explorer-curve .curve", "d")
        points = np.array([point.split() for point in d.removeprefix("M").split("L")], float)
        heights = np.log(errors) if logarithmic else errors
        # A straight line has to map the values to the heights on the screen.
        fitted = np.polyval(np.polyfit(heights, points[:, 1], 1), heights)
        assert len(points) == 68
        assert np.abs(fitted - points[:, 1]).max() < 0.1
        assert np.ptp(points[:, 1]) > 150
    assert "0.01418 at iteration 0 to 0.0001968 at iteration 67" in page.get_attribute(
        "#explorer-curve svg", "aria-label"
    )


def test_data_is_there_in_tables_on_demand(page):
    page.click("#explorer-values-details summary")
    page.click("#explorer-errors-details summary")
    trace = simulate(DERIVATION, CLASS, 1.0, 201)
    cells = page.locator("#explorer-values td").all_text_contents()
    assert agrees([float(cell) for cell in cells], trace.values[0]).all()
    assert page.locator("#explorer-errors tr").count() == 201
    assert page.locator("#explorer-errors td").last.text_content() == significant(float(trace.column("E_total")[200]))
    page.click("#explorer-values-details summary")
    page.click("#explorer-errors-details summary")


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_axe_finds_nothing_in_the_explorer_at_work(page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.check("[name=explorer-view][value=backward]")
    fill(page, "w3", "abc")
    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    results = page.evaluate("axe.run('#explorer', {resultTypes: ['violations', 'incomplete']})")
    assert [(rule["id"], node["html"][:200]) for rule in results["violations"] for node in rule["nodes"]] == []
    assert {rule["id"] for rule in results["incomplete"]} <= {"color-contrast"}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_without_javascript_the_way_back_stands_in_for_it(browser, page, hostile_page):
    still = open_tab(browser, hostile_page, java_script_enabled=False)
    assert not still.locator("#explorer").is_visible()
    assert still.locator("#flow").is_visible()
    texts = still.locator("#flow .value").all_text_contents()
    still.context.close()
    assert not page.locator("#flow").is_visible()
    page.check("[name=explorer-view][value=backward]")
    assert page.locator("#explorer-network .value").all_text_contents() == texts


def test_paper_shows_the_still_figure(page):
    page.emulate_media(media="print")
    assert page.locator("#flow").is_visible()
    assert not page.locator("#explorer").is_visible()
    page.emulate_media(media="screen")


def test_a_full_update_can_be_measured(page, capsys):
    times = page.evaluate(
        """() => Array.from({length: 20}, () => {
            const start = performance.now();
            liveExplorer.update();
            document.body.getBoundingClientRect();
            return performance.now() - start;
        })"""
    )
    assert len(page.evaluate("liveExplorer.rows()")) == ITERATIONS + 1
    median, most = statistics.median(times), max(times)
    with capsys.disabled():
        print(f"\nexplorer, {ITERATIONS} iterations anew: median {median:.1f} ms, most {most:.1f} ms")
