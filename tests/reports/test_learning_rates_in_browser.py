"""The comparison of learning rates as readers use it: values at an iteration, and a rate of their own."""

import numpy as np
import pytest
from agreement import agrees
from tabs import axe_findings

from backprop.network import SHEET_ITERATIONS, SHEET_LEARNING_RATES
from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.formats import significant
from reports.views.learning_rates import compare_learning_rates

CLASS = PRESETS["class"]
FIGURES = ("errors-linear", "errors-logarithmic")
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def page(tab):
    """Give the page as it is after loading."""
    tab.click("#own-rate-remove")
    tab.fill("#errors-linear-iteration", "0")
    return tab


def curves_of(rate=1.0):
    return {curve.learning_rate: curve for curve in compare_learning_rates(compute_part1(CLASS, rate)).curves}


def readout(page, figure):
    return [item.replace(SPACE, " ") for item in page.locator(f"#{figure}-reader li").all_text_contents()]


def expected_readout(curves, iteration):
    return [f"{c.label} {significant(c.errors[iteration], 4)}".replace(SPACE, " ") for c in curves]


def points_of(path):
    return np.array([point.split() for point in path.replace("M", "").split("L")], float)


@pytest.mark.parametrize("figure", FIGURES)
def test_keyboard_and_pointer_read_all_curves_at_an_iteration(page, figure):
    curves = curves_of().values()
    page.focus(f"#{figure}-iteration")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert [readout(page, name) for name in FIGURES] == [expected_readout(curves, 3)] * 2
    page.keyboard.press("End")
    assert readout(page, figure) == expected_readout(curves, SHEET_ITERATIONS - 1)
    assert significant(0.00957214, 4) in page.get_attribute(f"#{figure}-iteration", "aria-valuetext")
    box = page.locator(f"#{figure}-reader >> xpath=..").locator("svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * (104 + 504 * 24 / 67) / 700, box["y"] + box["height"] / 2)
    assert readout(page, figure) == expected_readout(curves, 24)


@pytest.mark.parametrize("figure", FIGURES)
def test_an_own_curve_lies_where_matplotlib_draws_it(page, figure):
    svg = page.locator(f"#{figure}-reader >> xpath=..").locator("svg")
    for place, rate in enumerate(SHEET_LEARNING_RATES):
        page.fill("#own-rate", str(rate))
        ours = points_of(svg.locator(".own-curve").get_attribute("d"))
        drawn = points_of(svg.locator(f"path.s-c{place}").get_attribute("d"))
        # matplotlib leaves out points that lie on a straight line.
        heights = np.interp(drawn[:, 0], ours[:, 0], ours[:, 1])
        assert np.abs(heights - drawn[:, 1]).max() < 0.5
        assert np.abs(drawn[[0, -1], 0] - ours[[0, -1], 0]).max() < 0.1


@pytest.mark.parametrize("rate", [1e-9, 0.03, 3.0, 7.5, 30.0, 1000.0, 1e6, 1e8])
def test_what_is_said_of_an_own_rate_agrees_with_the_pages_own_reading(page, rate):
    curves = curves_of(rate)
    curve, slowest = curves[rate], curves[0.1]
    facts = page.evaluate("rate => page.comparison.measure(rate)", rate)
    assert facts["overflow"] == curve.overflow
    assert facts["halvedAt"] == curve.halved_at
    if curve.overflow is None:
        assert agrees(facts["errors"], curve.errors).all()
        assert agrees(facts["ratio"], curve.final / slowest.final)
        assert (facts["rises"], facts["falls"]) == (curve.rises, curve.decreases)
        assert facts["stuckAt"] == curve.stuck_at
        assert facts["diverges"] == (curve.final > curve.first)


def test_an_own_rate_is_drawn_labelled_said_and_taken_away(page):
    curve = curves_of(3.0)[3.0]
    page.fill("#own-rate", "3")
    assert page.locator(".own-label").all_text_contents() == [curve.label] * 2
    said = page.text_content("#own-rate-said").replace(SPACE, " ")
    assert said.startswith(f"η = 3: after 67 updates the error is {significant(curve.final, 4)}".replace(SPACE, " "))
    assert f"halved in iteration {curve.halved_at}." in said
    assert "times that of η = 0.1" in said
    assert readout(page, FIGURES[0])[-1] == expected_readout([curve], 0)[0]
    column = page.locator("#errors-table .own").all_text_contents()
    assert column == [curve.label, *(significant(error, 6) for error in curve.errors)]
    page.fill("#own-rate", "1e8")
    assert "overflows: from iteration" in page.text_content("#own-rate-said")
    page.fill("#own-rate", "")
    assert page.locator("#errors-table .own").count() == 0
    assert page.locator(".own-label").all_text_contents() == ["", ""]
    assert page.text_content("#own-rate-said") == ""


def test_an_own_label_stays_inside_the_figure(page):
    for rate in ("1e-7", "0.15", "0.9", "12.3456789", "1e7"):
        page.fill("#own-rate", rate)
        for label in page.locator(".own-label").all():
            frame = label.locator("xpath=ancestor::*[name()='svg']").bounding_box()
            box = label.bounding_box()
            if label.text_content():
                assert frame["x"] <= box["x"] <= box["x"] + box["width"] <= frame["x"] + frame["width"]
                assert frame["y"] <= box["y"] <= box["y"] + box["height"] <= frame["y"] + frame["height"]


def test_a_rate_that_leaves_the_figure_says_so(page):
    page.fill("#own-rate", "1000")
    assert all(label.endswith("↑") for label in page.locator(".own-label").all_text_contents())
    said = page.text_content("#own-rate-said")
    assert "diverges" in said
    assert "times its first value" in said
    assert "past what the figures show" in said
    for figure in FIGURES:
        label, ticks = (
            page.locator(f"svg:has(#{figure}-title) .own-label"),
            page.locator(f"svg:has(#{figure}-title) text"),
        )
        own = label.bounding_box()
        for tick in ticks.all():
            box = tick.bounding_box()
            apart = own["x"] + own["width"] <= box["x"] or box["x"] + box["width"] <= own["x"]
            apart = apart or own["y"] + own["height"] <= box["y"] or box["y"] + box["height"] <= own["y"]
            assert apart or tick.text_content() == label.text_content()


def test_bad_rates_are_refused_and_stay_text(page):
    page.fill("#own-rate", "<b>1</b>")
    page.locator("#own-rate").dispatch_event("change")
    assert page.text_content("#own-rate-complaint") == "“<b>1</b>” is not a number."
    assert page.locator(".own-label").all_text_contents() == ["", ""]


def test_axe_finds_nothing_with_an_own_rate(page):
    page.fill("#own-rate", "3")
    page.emulate_media(color_scheme="dark")
    assert axe_findings(page, "section[aria-labelledby=learning-rates]") == []
    page.emulate_media(color_scheme="light")


def test_paper_shows_the_figures_alone(page):
    page.fill("#own-rate", "3")
    page.emulate_media(media="print")
    for part in (".own-curve", ".curve-reader", ".own-rate"):
        assert not page.locator(part).first.is_visible()
    page.emulate_media(media="screen")
