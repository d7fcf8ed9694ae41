import json

import pytest
from agreement import REFERENCE

from reports.views.elsewhere import view_elsewhere


@pytest.fixture(scope="module")
def figures():
    return {figure.what: figure for figure in view_elsewhere().figures}


@pytest.mark.parametrize("way", ["simultaneous", "sequential"])
def test_both_ways_agree_with_the_reference(figures, way):
    reference = json.loads((REFERENCE / "mazur.json").read_text())[way]
    errors, outputs = reference["E_total_by_step"], reference["outputs_at_10000"]
    expected = {
        "total error before training": errors["0"],
        "total error after one update": errors["1"],
        "total error after 9,999 updates": errors["9999"],
        "first output after 10,000 updates": outputs[0],
        "second output after 10,000 updates": outputs[1],
    }
    assert set(figures) == set(expected)
    for what, value in expected.items():
        decimals = len(figures[what].printed.partition(".")[2])
        assert getattr(figures[what], way) == f"{float(value):.{decimals}f}"


def test_each_printed_figure_is_told_which_way_gives_it(figures):
    assert [figure.agrees_with for figure in figures.values()] == [
        "both",
        "sequential",
        "simultaneous",
        "sequential",
        "sequential",
    ]
    view = view_elsewhere()
    assert (view.told_by("sequential"), view.told_by("simultaneous")) == (3, 1)
