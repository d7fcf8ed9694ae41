import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawings.theme import CLASSES, SERIES, power_of_ten, spread
from reports.prose import TEMPLATES


@given(st.lists(st.floats(0, 300), max_size=8))
def test_labels_never_overlap_and_stay_below_the_top(places):
    moved = spread(places, 20, 0, 300)
    assert all(b - a >= 20 - 1e-9 for a, b in pairwise(sorted(moved)))
    assert all(place <= 300 for place in moved)
    assert [p for p, _ in sorted(zip(moved, places, strict=True))] == sorted(moved)


def test_labels_with_room_stay_where_they_are():
    assert spread([100, 10, 50], 20, 0, 300) == [100, 10, 50]


@pytest.mark.parametrize(("value", "text"), [(1e-3, "10⁻³"), (1.0, "10⁰"), (1e12, "10¹²")])
def test_powers_of_ten(value, text):
    assert power_of_ten(value) == text


def test_every_colour_of_the_figures_has_its_classes_in_the_style_sheet():
    style = (TEMPLATES / "styles" / "style.css").read_text(encoding="utf-8")
    for word in CLASSES.values():
        assert f".f-{word} {{ fill: var(--{word}); }} .s-{word} {{ stroke: var(--{word}); }}" in style


def test_the_figures_are_drawn_in_the_colours_of_the_light_scheme():
    style = (TEMPLATES / "styles" / "style.css").read_text(encoding="utf-8")
    light = re.search(r"^:root \{(.*?)^\}", style, re.DOTALL | re.MULTILINE)[1]
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", light))
    assert {word: colours[word] for word in CLASSES.values()} == {word: colour for colour, word in CLASSES.items()}


def test_positive_and_negative_weights_of_a_window_are_painted_in_the_figures_blue_and_orange():
    script = (TEMPLATES / "scripts" / "digit.js").read_text(encoding="utf-8")
    for name, colour in (("POSITIVE", SERIES[0]), ("NEGATIVE", SERIES[4])):
        painted = re.search(rf"\b{name} = \[([\d, ]+)\]", script)[1]
        assert bytes(map(int, painted.split(","))) == bytes.fromhex(colour.removeprefix("#")), name
