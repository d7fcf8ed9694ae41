import json

import pytest
from agreement import REFERENCE

from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.views.mazur import view_mazur


@pytest.fixture(scope="module")
def view():
    return view_mazur(compute_part1(PRESETS["class"], 1.0))


@pytest.mark.parametrize("updating", ["simultaneous", "sequential"])
def test_both_ways_of_updating_agree_with_the_reference(view, updating):
    reference = json.loads((REFERENCE / "mazur.json").read_text())[updating]
    errors, outputs = reference["E_total_by_step"], reference["outputs_at_10000"]
    expected = {
        ("E_total", 0): errors["0"],
        ("E_total", 1): errors["1"],
        ("E_total", 9_999): errors["9999"],
        ("a_o1", 10_000): outputs[0],
        ("a_o2", 10_000): outputs[1],
    }
    assert [(figure.column, figure.updates) for figure in view.figures] == list(expected)
    for figure, value in zip(view.figures, expected.values(), strict=True):
        assert f"{getattr(figure, updating):.{figure.decimals}f}" == f"{float(value):.{figure.decimals}f}"


def test_which_way_of_updating_gives_each_printed_figure(view):
    assert [figure.agrees_with for figure in view.figures] == [
        "both",
        "sequential",
        "simultaneous",
        "sequential",
        "sequential",
    ]
    assert (view.count("sequential"), view.count("simultaneous")) == (3, 1)


def test_the_page_names_each_figure(hostile_page):
    html = hostile_page.read_text()
    assert '<tr><th scope="row" class="word">total error before training</th><td>0.298371109</td>' in html
    assert '<tr><th scope="row" class="word">second output after 10,000 updates</th><td>0.984065734</td>' in html
