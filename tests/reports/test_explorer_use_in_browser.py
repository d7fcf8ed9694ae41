"""Using the live explorer: by keyboard, with bad input, on paper, without JavaScript; and what it says."""

from dataclasses import replace

import numpy as np
import pytest
from tabs import axe_findings, drawn, fill, open_tab, press_tab_until, wait_until

from backprop.derivation import derive
from backprop.networks.presets import PRESETS
from backprop.simulate import simulate
from reports.formats import brief, significant
from reports.views.explorer import ITERATIONS

CLASS = PRESETS["class"]
DERIVATION = derive(CLASS.network)


def test_a_row_can_be_selected_where_the_browser_does_not_copy(explorer):
    explorer.evaluate(
        """() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error("denied"));
        document.execCommand = () => false;
    }"""
    )
    explorer.click("#explorer-copy")
    wait_until(explorer, "document.getElementById('explorer-row-said').textContent.includes('selected')")
    assert explorer.evaluate("getSelection().toString()") == explorer.input_value("#explorer-row")
    explorer.evaluate("() => { delete navigator.clipboard.writeText; delete document.execCommand; }")


def test_the_keyboard_is_enough(explorer):
    explorer.focus("#explorer-eta-slider")
    explorer.keyboard.press("ArrowRight")
    assert explorer.input_value("#explorer-eta") == "1.02"
    press_tab_until(explorer, "active.id === 'explorer-step'")
    explorer.keyboard.press("Enter")
    assert explorer.text_content("#explorer-iteration-number") == "1"
    press_tab_until(explorer, "active.dataset.key === 'w5'")
    explorer.keyboard.press("ArrowRight")
    key = explorer.evaluate("document.activeElement.dataset.key")
    assert key == "w7"
    row = simulate(DERIVATION, CLASS, 1.02, 2)
    label = explorer.get_attribute(f"#explorer-network [data-key={key}]", "aria-label")
    assert label == f"w7 = {brief(float(row.column('w7')[1]))}, weight from a_h1 to o2"
    results = explorer.locator("#explorer-explained .figures math:last-child").all_text_contents()
    assert results[0] == "=" + significant(float(row.column("dE_dw7")[1]), 6)
    wait_until(explorer, "document.getElementById('explorer-said').textContent.startsWith('w7, weight from a_h1')")
    assert explorer.evaluate("getComputedStyle(document.activeElement.querySelector('.ground')).strokeWidth") == "4px"


def test_what_overflows_is_said_as_the_sheet_shows_it(explorer):
    explorer.fill("#explorer-eta", "1e8")
    overflow = simulate(DERIVATION, CLASS, 1e8, 60).overflow
    assert f"overflows: from iteration {overflow} on" in explorer.text_content("#explorer-reading")
    explorer.fill("#explorer-iteration", str(overflow))
    expected = simulate(DERIVATION, CLASS, 1e8, overflow + 1).values[overflow]
    cells = explorer.input_value("#explorer-row").split("\t")
    assert [cell == "#NUM!" for cell in cells] == np.isnan(expected).tolist()
    assert "#NUM!" in drawn(explorer).values()


@pytest.mark.parametrize(
    ("start", "eta", "words"),
    [
        ("0", "1", "nothing but rounding is left of it. The error is halved in iteration 12."),
        (
            "1",
            "1e6",
            "is stuck from iteration 1 on, with 99 % of the error left. No gradient there is larger than 5.2 × 10⁻¹⁸",
        ),
        ("0", "1e-9", "hardly moves"),
        ("0", "0.5", "The error falls in every update. The error is halved in iteration 24."),
    ],
)
def test_what_the_run_does_is_said(explorer, start, eta, words):
    explorer.select_option("#explorer-start", start)
    explorer.fill("#explorer-eta", eta)
    assert words in explorer.text_content("#explorer-reading").replace("\N{NO-BREAK SPACE}", " ")


def test_a_run_that_diverges_is_called_so(explorer):
    # Outputs that are nearly right at the start and a step far too long: the error ends larger than it began.
    for name, text in (("t1", "0.6"), ("t2", "0.63"), ("eta", "5000")):
        fill(explorer, name, text)
    values = {**CLASS.values, "t1": 0.6, "t2": 0.63}
    errors = simulate(DERIVATION, replace(CLASS, values=values), 5000.0, ITERATIONS + 1).column("E_total")
    assert errors[-1] > errors[0]
    assert "It diverges" in explorer.text_content("#explorer-reading")


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
def test_bad_input_is_refused_beside_its_field(explorer, name, text, complaint):
    before = drawn(explorer)
    fill(explorer, name, text)
    assert explorer.text_content(f"#explorer-{name}-complaint") == complaint
    assert explorer.get_attribute(f"#explorer-{name}", "aria-invalid") == "true"
    assert drawn(explorer) == before
    explorer.press(f"#explorer-{name}", "Escape")
    assert explorer.text_content(f"#explorer-{name}-complaint") == ""
    assert explorer.get_attribute(f"#explorer-{name}", "aria-invalid") is None


@pytest.mark.parametrize("text", ["1e-9", "0.004", "700", "1e12", "+.5", "5."])
def test_any_rate_above_0_is_taken_and_the_slider_follows(explorer, text):
    explorer.fill("#explorer-eta", text)
    assert explorer.evaluate("page.explorer.state.eta") == float(text)
    expected = min(max(np.log10(float(text)), -3), 3)
    assert float(explorer.input_value("#explorer-eta-slider")) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_prefer_that(explorer, motion, moves):
    explorer.emulate_media(reduced_motion=motion)
    explorer.check("[name=explorer-view][value=backward]")
    assert (explorer.evaluate("document.getAnimations().length") > 0) is moves


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_axe_finds_nothing_in_the_explorer_at_work(explorer, scheme, width):
    explorer.emulate_media(color_scheme=scheme)
    explorer.set_viewport_size({"width": width, "height": 900})
    explorer.check("[name=explorer-view][value=backward]")
    fill(explorer, "w3", "abc")
    assert axe_findings(explorer, "#explorer") == []
    assert explorer.evaluate("document.documentElement.scrollWidth") <= width
    explorer.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("value", ["-123456.789", "-1e-9", "-1.5e-120"])
def test_no_value_leaves_its_place_in_the_drawing(explorer, value):
    for name in ("w5", "i1"):
        fill(explorer, name, value)
    outside = explorer.evaluate(
        """() => [...document.querySelectorAll("#explorer-network .piece:not(.wire-piece, .bare)")].filter(piece => {
            const [frame, text] = [".frame", ".value"].map(part => piece.querySelector(part).getBBox());
            return text.x < frame.x || text.x + text.width > frame.x + frame.width;
        }).map(piece => piece.dataset.key)"""
    )
    assert outside == []


def test_after_coming_back_the_fields_say_what_is_shown(browser, hostile_page, one_epoch_page):
    """A browser may fill fields in again, and a run that begins anew must not disagree with them."""
    page = open_tab(browser, hostile_page)
    page.check("[name=explorer-view][value=backward]")
    page.check("#explorer-logarithmic")
    page.select_option("#explorer-horizon", "1000")
    page.fill("#explorer-iteration", "900")
    page.fill("#own-rate", "3")
    page.goto(one_epoch_page.as_uri())
    page.go_back()
    wait_until(page, "page.explorer && page.comparison")
    shown = page.evaluate("page.explorer.state")
    assert page.is_checked("[name=explorer-view][value=backward]") is shown["backward"]
    assert page.is_checked("#explorer-logarithmic") is shown["logarithmic"]
    assert page.input_value("#explorer-horizon") == str(shown["horizon"])
    assert page.get_attribute("#explorer-iteration", "max") == str(shown["horizon"])
    assert page.input_value("#explorer-iteration") == str(shown["iteration"])
    assert (page.input_value("#own-rate") == "") is (page.locator("#errors-table .own").count() == 0)
    page.context.close()


def test_an_error_of_nothing_is_drawn(explorer):
    explorer.noted["messages"].clear()
    for number in range(1, 9):
        fill(explorer, f"w{number}", "0")
    explorer.check("#explorer-logarithmic")
    assert "NaN" not in explorer.locator("#explorer-curve").inner_html()
    assert "The error is 0 from the start" in explorer.locator("#explorer-reading").text_content()
    assert explorer.noted["messages"] == []


def test_without_javascript_the_way_back_stands_in_for_it(browser, explorer, hostile_page):
    still = open_tab(browser, hostile_page, java_script_enabled=False)
    assert not still.locator("#explorer").is_visible()
    assert still.locator("#flow").is_visible()
    texts = still.locator("#flow .value").all_text_contents()
    still.context.close()
    assert not explorer.locator("#flow").is_visible()
    explorer.check("[name=explorer-view][value=backward]")
    assert explorer.locator("#explorer-network .value").all_text_contents() == texts


def test_paper_shows_the_still_figure(explorer):
    explorer.emulate_media(media="print")
    assert explorer.locator("#flow").is_visible()
    assert not explorer.locator("#explorer").is_visible()
    explorer.emulate_media(media="screen")
