"""The page as readers see it: no request, no violation, nothing cut, nothing unreadable."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from agreement import read_reference
from pictures import take
from PIL import Image
from tabs import axe_findings, wait_until

UNFOLD = "document.querySelectorAll('details').forEach(fold => { fold.open = true; })"


@pytest.fixture(params=["hostile_page", "one_epoch_page"])
def path(request):
    return request.getfixturevalue(request.param)


def test_offline_every_request_is_aborted_and_there_is_none(visit, path):
    page = visit(path, offline=True)
    aborted = []

    def refuse(route):
        own = route.request.url == path.as_uri() or route.request.url.startswith("data:")
        if own:
            route.continue_()
        else:
            aborted.append(route.request.url)
            route.abort()

    page.route("**/*", refuse)
    page.reload()
    page.wait_for_load_state("networkidle")
    for link in page.locator("#confusion a").all()[:2]:
        link.click()
    assert aborted == []
    assert [url for url in page.noted["requests"] if not url.startswith("data:")] == [path.as_uri()] * 2
    assert page.noted["messages"] == []
    assert page.evaluate("window.violations") == []
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_the_violation_counter_would_see_one(visit, path):
    page = visit(path)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_function("window.violations.length > 0")


@pytest.mark.parametrize(
    ("name", "scheme", "width", "unfolded"),
    [
        ("hostile_page", "light", 320, False),
        ("hostile_page", "dark", 1280, False),
        ("one_epoch_page", "dark", 320, False),
        ("one_epoch_page", "light", 1280, True),
    ],
)
def test_axe_finds_nothing(visit, request, name, scheme, width, unfolded):
    page = visit(request.getfixturevalue(name), width=width, scheme=scheme)
    if unfolded:
        page.evaluate(UNFOLD)
    assert axe_findings(page) == []


def test_axe_would_find_something(visit, one_epoch_page):
    page = visit(one_epoch_page)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert [rule for rule, _ in axe_findings(page)] == ["html-has-lang"]


def test_one_name_reaches_the_global_scope(visit, hostile_page, tmp_path):
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><html class=painted>")
    names = "Object.getOwnPropertyNames(globalThis)"
    page = visit(hostile_page)
    assert set(page.evaluate(names)) - set(visit(empty).evaluate(names)) == {"page"}
    assert page.evaluate("typeof modules") == "undefined"  # constants are no properties


@pytest.mark.parametrize("section", ["iteration", "explore", "slip", "digit"])
def test_a_link_into_the_page_leads_to_its_heading(visit, path, section):
    page = visit(path, fragment=f"#{section}")
    wait_until(page, "page.explorer && page.comparison")
    # What grows above it meanwhile pushes nothing away.
    assert page.evaluate(f"document.getElementById('{section}').getBoundingClientRect().top") == pytest.approx(
        16, abs=1
    )


@pytest.mark.parametrize("script", [True, False])
def test_nothing_is_left_to_be_laid_out_later(visit, path, script):
    page = visit(path, java_script_enabled=script)
    skipped = """[...document.querySelectorAll("body *")].filter(element =>
        element.checkVisibility() && !element.checkVisibility({contentVisibilityAuto: true})).length"""
    assert page.evaluate(skipped) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_figures_stands_out_from_the_page(visit, path, scheme):
    page = visit(path, scheme=scheme)
    ratios = page.evaluate(
        """() => {
        const luminance = colour => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
                .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const paper = luminance(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll("svg text")].map(text => {
            const ink = luminance(getComputedStyle(text).fill);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        });
    }"""
    )
    assert len(ratios) > 60
    assert min(ratios) >= 4.5


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_is_wider_than_the_window(visit, path, width):
    page = visit(path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_labels_in_charts_stay_inside_on_a_phone(visit, path):
    page = visit(path, width=320)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".chart svg")].flatMap(svg => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("text")].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
        }).map(text => text.textContent);
    })"""
    )
    assert cut == []


def test_complete_without_javascript(visit, path):
    page = visit(path, java_script_enabled=False)
    for number in range(1, 8):
        picture = page.locator("figure", has_text=f"Figure {number}.").locator("svg[role=img]")
        assert picture.count() == (1 if number < 7 or page.locator("#study").count() else 0)
        assert picture.count() == 0 or picture.is_visible()
    assert page.locator("#provenance").is_visible()
    assert not page.locator(".live-only").filter(visible=True).count()


def test_contents_are_beside_the_text_or_folded_above_it(visit, path):
    wide = visit(path, java_script_enabled=False)
    assert wide.locator(".contents a").first.is_visible()
    assert not wide.locator(".contents summary").is_visible()
    narrow = visit(path, width=390, java_script_enabled=False)
    assert not narrow.locator(".contents a").first.is_visible()
    # The results are on the first screen of a phone.
    assert narrow.locator(".results li").last.bounding_box()["y"] < 900
    narrow.locator(".contents summary").click()
    assert narrow.locator(".contents a").last.is_visible()


def test_the_first_screen_gives_both_results(visit, hostile_page):
    page = visit(hostile_page)
    header, rows = read_reference("class_eta1.csv")
    errors = rows[:, header.index("E_total")]
    results = [" ".join(text.split()) for text in page.locator(".results strong").all_inner_texts()]
    assert results == [f"{errors[0]:.3g} → to {errors[-1]:.3g}", "99.58 %"]
    assert page.locator(".results li").last.bounding_box()["y"] < 700


def test_keyboard_reaches_the_content_first(visit, path):
    page = visit(path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


@pytest.mark.parametrize("width", [320, 1280])
def test_the_keyboard_stops_at_regions_only_where_they_scroll(visit, path, width):
    page = visit(path, width=width)
    stops = """[...document.querySelectorAll("[role=region]:not(.explained)")].map(region => ({
        stop: region.tabIndex === 0,
        scrolls: region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight}))"""
    wait_until(page, f"{stops}.every(region => region.stop === region.scrolls)")
    scrolling = [region["scrolls"] for region in page.evaluate(stops)]
    assert 0 < sum(scrolling) < len(scrolling)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_digits_can_be_seen_where_the_system_chooses_the_colours(visit, hostile_page, scheme):
    page = visit(hostile_page, scheme=scheme, forced_colors="active")
    image = page.locator(".mistake img").first
    seen = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"))
    assert np.ptp(seen) > 128


def without_visible_focus(page):
    """Give focus to everything that takes it, as the keyboard would, and list what does not show it.

    An outline shows it, or in a drawing a line that becomes thicker.
    """
    page.evaluate(UNFOLD)
    page.keyboard.press("Tab")
    return page.evaluate(
        """() => {
        const strokes = element => [...element.querySelectorAll("*")]
            .reduce((sum, part) => sum + (parseFloat(getComputedStyle(part).strokeWidth) || 0), 0);
        const able = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
            .filter(element => element.tabIndex >= 0 && !element.disabled && element.checkVisibility());
        const faint = able.filter(element => {
            document.activeElement.blur();
            const before = strokes(element);
            element.focus({ preventScroll: true });
            const style = getComputedStyle(element);
            const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            const thicker = element instanceof SVGElement && strokes(element) >= before + 1;
            return document.activeElement !== element || !(outlined || thicker);
        });
        return { able: able.length, faint: faint.map(element => element.outerHTML.slice(0, 120)) };
    }"""
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_focus_is_visible_on_everything_that_takes_it(visit, path, width):
    found = without_visible_focus(visit(path, width=width))
    assert found["able"] > 70
    assert found["faint"] == []


def test_the_search_for_invisible_focus_would_find_one(visit, path):
    page = visit(path)
    page.evaluate("document.querySelector('#confusion a').style.outline = '0'")
    assert len(without_visible_focus(page)["faint"]) == 1


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_who_asked_for_that(visit, path, motion, moves):
    page = visit(path, reduced_motion=motion)
    assert (page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "smooth") is moves
    if not moves:
        lasting = page.evaluate(
            """() => [...document.querySelectorAll("*")].filter(element => {
            const style = getComputedStyle(element);
            return style.animationName !== "none" || style.transitionDuration.split(",").some(s => parseFloat(s) > 0);
        }).length"""
        )
        assert lasting == 0
        assert page.evaluate("document.getAnimations().length") == 0


def test_pictures_of_every_state_are_kept(browser, hostile_page):
    folder = Path(os.environ.get("PICTURES", Path(__file__).parents[2] / "out" / "pictures-of-tests"))
    taken = take(browser, hostile_page, folder)
    assert len(taken) == 6
    for name, path in taken.items():
        with Image.open(path) as picture:
            # Dark or light as it should be, and not blank.
            pixels = np.asarray(picture.convert("L").reduce(4))
            assert bool(np.median(pixels) < 60) is (name == "dark"), name
            assert pixels.std() > 10, name
    assert taken["offline"].read_bytes() == taken["light"].read_bytes()
