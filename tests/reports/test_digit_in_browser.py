"""“Draw a digit” as the reader has it, held against torch, in Chromium."""

import numpy as np
import pytest
import torch
from digit_page import THREE, draw_stroke, extent, network_input, opacities, pixels_of, settle, shares
from playwright.sync_api import expect
from tabs import axe_findings

from mnist.model import normalise


def test_nothing_drawn_is_no_digit(field):
    assert field.locator("#digit-answer").text_content() == "Draw something"
    assert field.locator("#digit-shares data").all_text_contents() == ["–"] * 10
    assert field.locator("#digit-shares .best").count() == 0
    assert network_input(field).sum() == 0


def test_drawing_gives_probabilities_and_says_so_after_a_pause(field, digits):
    field.evaluate(
        """() => {
        window.told = 0;
        new MutationObserver(() => window.told++).observe(document.getElementById("digit-status"), {childList: true});
    }"""
    )
    draw_stroke(field, [(0.1, 0.1), (0.8, 0.0)])
    draw_stroke(field, THREE)
    found = shares(field)
    assert sum(found) == pytest.approx(1, abs=1e-9)
    with torch.inference_mode():
        seen = torch.tensor(network_input(field), dtype=torch.uint8)[None]
        expected = digits.learnt.network(normalise(seen)).softmax(1)[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    best = int(expected.argmax())
    name = f"an {best}" if best == 8 else f"a {best}"
    assert field.locator("#digit-answer").text_content().startswith(f"It looks like {name}: ")
    assert field.locator("#digit-shares .best .digit-name").all_text_contents() == [str(best)]
    assert field.locator("#digit-shares .digit-mark").all_text_contents() == [
        "prediction" if d == best else "" for d in range(10)
    ]
    expect(field.locator("#digit-status")).to_contain_text(f"The network reads {name}, {100 * found[best]:.1f}")
    assert field.evaluate("told") <= 3  # the cleared field, and two strokes; not each of 30 moves of the pen
    labels = field.locator(".digit-map").evaluate_all("maps => maps.map(map => map.getAttribute('aria-label'))")
    assert all(label.startswith(f"Map {number}: ") for number, label in enumerate(labels, 1))


def test_undo_takes_back_one_stroke(field):
    draw_stroke(field, THREE)
    once = network_input(field)
    draw_stroke(field, [(0, 0), (1, 1)])
    assert (network_input(field) != once).any()
    field.locator("#digit-undo").click()
    settle(field)
    assert (network_input(field) == once).all()
    field.locator("#digit-undo").click()
    settle(field)
    assert field.locator("#digit-answer").text_content() == "Draw something"


@pytest.mark.parametrize("button", ["undo", "clear"])
def test_what_takes_a_stroke_away_ends_it(field, button):
    """A second finger or the keyboard can press a button while a stroke is being drawn."""
    before = list(field.noted["messages"])
    box = field.locator("#digit-paper").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 3
    field.mouse.move(x, y)
    field.mouse.down()
    field.mouse.move(x + 40, y, steps=4)
    field.evaluate(f"document.getElementById('digit-{button}').click()")
    field.mouse.move(x + 40, y + 40, steps=4)
    field.mouse.up()
    settle(field)
    assert field.locator("#digit-answer").text_content() == "Draw something"
    assert field.noted["messages"] == before


def test_keyboard_picks_test_images_and_gets_torchs_probabilities(field, digits):
    field.locator("#digit-clear").focus()
    field.keyboard.press("Tab")
    field.keyboard.press("Space")
    for answer in digits.learnt.samples[:4]:
        settle(field)
        np.testing.assert_allclose(shares(field), answer.probabilities, atol=1e-4)
        assert network_input(field).tolist() == pixels_of(answer).tolist()
        assert f" {answer.true}, test image {answer.index}" in field.locator("#digit-source").text_content()
        field.keyboard.press("ArrowRight")


def test_drawing_after_a_pick_begins_anew(field):
    field.locator("#digit-picks input").first.check()
    settle(field)
    draw_stroke(field, [(0.5, 0), (0.5, 1)])
    assert field.locator("#digit-picks input:checked").count() == 0
    assert extent(network_input(field))[1] <= 5


def test_maps_show_the_first_layer_after_relu(field, digits):
    field.locator("#digit-picks input").nth(2).check()
    settle(field)
    pixels = torch.tensor(pixels_of(digits.learnt.samples[2]))[None]
    with torch.inference_mode():
        expected = digits.learnt.network.relu1(digits.learnt.network.conv1(normalise(pixels)))[0]
    expected = (255 * expected / expected.max()).numpy()
    np.testing.assert_allclose(opacities(field, ".digit-map"), expected, atol=0.51)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_section_at_work(field, scheme):
    field.emulate_media(color_scheme=scheme)
    field.locator("#digit-picks input").first.check()
    settle(field)
    found = axe_findings(field, "section[aria-labelledby=digit]")
    field.emulate_media(color_scheme="light")
    assert found == []


def test_paper_shows_torchs_numbers_in_place_of_the_field(field, digits):
    field.emulate_media(media="print")
    table = field.locator(".digit-table")
    assert table.is_visible()
    assert not field.locator("#digit-paper").is_visible()
    for row, sample in enumerate(digits.learnt.samples):
        cells = table.locator("tbody tr").nth(row).locator("td").all_text_contents()
        assert cells == [str(sample.true), *(f"{100 * share:.1f}" for share in sample.probabilities)]
    field.emulate_media(media="screen")
    assert not table.is_visible()


def test_a_finger_draws_and_the_page_stays_where_it_is(browser, digits):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(digits.path.as_uri())
    page.locator("#digit-paper").scroll_into_view_if_needed()
    settle(page)
    box, before = page.locator("#digit-paper").bounding_box(), page.evaluate("scrollY")
    touch = context.new_cdp_session(page)
    for kind, y in (
        ("touchStart", 0.2),
        ("touchMove", 0.4),
        ("touchMove", 0.6),
        ("touchMove", 0.8),
        ("touchEnd", None),
    ):
        at = [] if y is None else [{"x": box["x"] + box["width"] / 2, "y": box["y"] + y * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    settle(page)
    assert extent(network_input(page))[0] in (19, 20)
    assert sum(shares(page)) == pytest.approx(1, abs=1e-9)
    assert page.evaluate("scrollY") == before
    context.close()


def test_nothing_of_all_this_asked_for_anything(field, digits):
    """The last test on this page: what the others did made no request, no complaint, no violation."""
    assert [url for url in field.noted["requests"] if not url.startswith("data:")] == [digits.path.as_uri()]
    assert field.noted["messages"] == []
    assert field.evaluate("violations") == []
