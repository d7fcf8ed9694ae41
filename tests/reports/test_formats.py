import math
import xml.etree.ElementTree as ET

import pytest
from agreement import read_number
from hypothesis import given
from hypothesis import strategies as st

from reports.formats import counted, fixed, listing, mathml_number, percent, share, short, significant

NARROW = str.maketrans({"\N{NO-BREAK SPACE}": " "})


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.1, 9, "0.1"),
        (1.0, 9, "1"),
        (0.014181377937891657, 9, "0.0141813779"),
        (0.00035178, 2, "0.00035"),
        (2.0923623350964516e-06, 6, "2.09236 × 10⁻⁶"),
        (-0.5, 9, "−0.5"),
        (123456.0, 3, "1.23 × 10⁵"),
        (0.0, 9, "0"),
        (-0.0, 9, "0"),
        (math.nan, 9, "#NUM!"),
    ],
)
def test_significant(value, digits, text):
    assert significant(value, digits).translate(NARROW) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 15))
def test_significant_digits_are_those_of_the_number(value, digits):
    assert read_number(significant(value, digits)) == pytest.approx(value, rel=0.5000001 * 10 ** (1 - digits))


@given(st.floats(-1e4, 1e4))
def test_fixed_is_close_or_scientific(value):
    assert read_number(fixed(value, 6)) == pytest.approx(value, abs=5.1e-7, rel=1e-5)


@given(st.floats(allow_infinity=False))
def test_numbers_in_formulas_are_well_formed(value):
    ET.fromstring(mathml_number(value))


@pytest.mark.parametrize(("fraction", "text"), [(0.675, "67.5 %"), (1.46e-9, "1.46 × 10⁻⁷ %"), (math.nan, "#NUM!")])
def test_a_share_of_nothing_is_no_percentage(fraction, text):
    assert share(fraction).translate(NARROW) == text


def test_negative_operands_stand_in_brackets():
    assert mathml_number(-0.5) == "<mrow><mo>(</mo><mo>−</mo><mn>0.5</mn><mo>)</mo></mrow>"


def test_words():
    assert percent(0.9940).translate(NARROW) == "99.40 %"
    assert short(0.1) == "0.1"
    assert counted(1, "epoch") == "1 epoch"
    assert counted(15662, "parameter") == "15,662 parameters"
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"]) == "a, b and c"
