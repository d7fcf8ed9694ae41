import json
import re
from dataclasses import asdict, replace

import pytest
import records

from backprop.errors import BackpropError
from reports.inputs import read_inputs
from reports.prose import prose


def test_without_a_comparison_the_page_names_the_command(one_epoch_page):
    html = one_epoch_page.read_text()
    assert "They have not been compared here yet: <code>make prove</code> does it." in html
    assert "Largest disagreement of each pair of engines" not in html


def test_the_summary_counts_what_was_compared_and_names_who_disagrees():
    text = prose("engines.summary", records.PROOF)
    assert "6 random ones (seed 3), 10 iterations each: 2,170 numbers" in text
    assert text.endswith("These do not agree: sympy, 50 digits with torch and NumPy with torch.")


def test_the_summary_says_how_closely_all_agree():
    agreeing = replace(records.PROOF, pairs=records.PROOF.pairs[:1])
    text = prose("engines.summary", agreeing).replace("\N{NO-BREAK SPACE}", " ")
    assert "In 1 pair of engines they all agree to 1 × 10⁻¹¹, relative to the number, or to 0.1" in text


def test_pairs_are_shown_with_their_verdict(hostile_page):
    html = hostile_page.read_text().replace("\N{NO-BREAK SPACE}", " ")
    table = re.search(r"<caption>The largest.*?</table>", html, re.DOTALL).group()
    assert re.findall(r'<th scope="col">([^<]*)</th>', table) == ["sympy, 50 digits", "NumPy"]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr><th scope=.row.*?</tr>", table, re.DOTALL)]
    assert rows == [
        ["NumPy", "3.2", "×", "10⁻¹⁶"],
        ["torch", "2", "×", "10⁻⁹", "✗", "disagree", "no", "number", "✗", "disagree"],
    ]
    assert "NumPy and torch differ most in a_o1, iteration 4, case 6." in html


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
    assert "The same numbers, seven times" in html
    assert "&lt;b&gt;dE_dw1&lt;/b&gt;" in html
    assert "&lt;i&gt;soffice&lt;/i&gt;" in html
