import json
from dataclasses import asdict

import pytest
import records

from backprop.errors import BackpropError
from reports.inputs import read_inputs
from reports.views.engines import view_engines


def test_without_a_comparison_there_is_nothing_to_show():
    assert view_engines(None) is None


def test_pairs_are_told_with_their_verdict():
    view = view_engines(records.PROOF)
    assert "6 random ones (seed 3), 10 iterations each: 2,170 numbers" in view.summary
    assert [row.agrees for row in view.rows] == [True, False, False]
    assert [row.disagreement.replace("\N{NO-BREAK SPACE}", " ") for row in view.rows] == [
        "3.2 × 10⁻¹⁶",
        "2 × 10⁻⁹",
        "no number",
    ]
    assert view.verdict == "These do not agree: sympy, 50 digits with torch and NumPy with torch."
    assert view.missing == records.PROOF.missing


def test_the_file_that_make_prove_writes_is_read(output):
    assert read_inputs(output).proof is None
    (output / "proof.json").write_text(json.dumps(asdict(records.PROOF)))
    assert read_inputs(output).proof == records.PROOF


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pairs": 3}', json.dumps({"seed": "0"})])
def test_a_damaged_file_names_the_target_that_writes_it(output, content):
    (output / "proof.json").write_text(content)
    with pytest.raises(BackpropError, match=r"proof\.json .*make prove") as caught:
        read_inputs(output)
    assert "\n" not in str(caught.value)


def test_the_page_shows_the_table_and_escapes_what_the_file_says(hostile_page):
    html = hostile_page.read_text()
    assert "The same numbers, five times" in html
    assert "&lt;b&gt;dE_dw1&lt;/b&gt;" in html
    assert "&lt;i&gt;soffice&lt;/i&gt;" in html
