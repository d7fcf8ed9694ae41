"""Formulas as cells share them: moving one agrees with openpyxl, and writing one gives back what was there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter

from backprop.check.patterns import Patterns

fixed = st.sampled_from(["", "$"])
cells = st.builds(
    lambda a, column, b, row: f"{a}{get_column_letter(column)}{b}{row}",
    *(fixed, st.integers(20, 60), fixed, st.integers(30, 90)),
)
operands = st.one_of(
    cells,
    st.builds(lambda a, b: f"SUM({a}:{b})", cells, cells),
    st.builds(lambda a: f"LOG10({a})", cells),
    st.builds(lambda a: f"'A1 it''s'!{a}", cells),
    st.builds(lambda a: f"Sheet1!{a}", cells),
    st.sampled_from(['"A1 B2"', "1E5", "0.5%", "rate_A1", "Table1[[#This Row],[w1]]", "ABCD12", "x.A1"]),
)
formulas = st.lists(operands, min_size=1, max_size=6).map(lambda parts: "=" + "*".join(parts))


@given(formulas, st.integers(31, 80), st.integers(21, 50), st.integers(-20, 20), st.integers(-15, 15))
def test_a_pattern_writes_what_was_read_and_moves_as_in_openpyxl(formula, row, column, down, right):
    pattern = Patterns("Sheet1").intern(formula, row, column)
    assert pattern.text(row, column) == formula
    origin, target = (f"{get_column_letter(c)}{r}" for r, c in ((row, column), (row + down, column + right)))
    assert pattern.text(row + down, column + right) == Translator(formula, origin).translate_formula(target)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("=E33-$G$31*X33", 34, 5), ("=E99-$G$31*X99", 100, 5), True),
        (("=E33-G31*X33", 34, 5), ("=E34-G31*X34", 35, 5), False),
        (("=SUM(LOG10(2),A1)", 1, 2), ("=SUM(LOG10(2),A2)", 2, 2), True),
        (("=A1*2", 1, 2), ("=B1*2", 1, 3), True),
        (('="A1"&A1', 1, 2), ('="A2"&A2', 2, 2), False),
        (("=T[[#This Row],[w1]]", 1, 2), ("=T[[#This Row],[w1]]", 9, 9), True),
    ],
)
def test_cells_that_were_filled_share_a_pattern(first, second, same):
    patterns = Patterns("Sheet1")
    assert (patterns.intern(*first) is patterns.intern(*second)) == same
