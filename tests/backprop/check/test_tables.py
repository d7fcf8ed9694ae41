"""Tables wherever people put them, and formulas however people write them."""

import time
from dataclasses import replace

import openpyxl
import pytest
from checks import accused
from sheets import EXPRESSIONS, QUANTITIES, SheetPlan, write_sheet

from backprop.check.workbooks import check_file

SLIP = {("dE_dw3", 0): EXPRESSIONS["dE_dw1"]}


def joined(tmp_path, *plans):
    """Write plans that lie in different places into one sheet."""
    book = openpyxl.Workbook()
    for number, plan in enumerate(plans):
        part = tmp_path / f"part{number}.xlsx"
        write_sheet(part, plan)
        for row in openpyxl.load_workbook(part).active.iter_rows():
            for cell in row:
                if cell.value is not None:
                    book.active[cell.coordinate] = cell.value
    path = tmp_path / "joined.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize("place", [{"left": 45}, {"top": 60}, {"left": 12, "top": 50}])
def test_several_tables_on_one_sheet_are_told_apart(place, tmp_path):
    right = SheetPlan(seed=3, rows=4)
    wrong = replace(right, seed=4, wrong=SLIP, **place)
    first, second = check_file(joined(tmp_path, right, wrong)).tables
    assert first.findings == ()
    assert accused(second) == {("formula", "dE_dw3")}
    assert first.header != second.header


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_checked_too(state, tmp_path):
    path = tmp_path / "hidden.xlsx"
    write_sheet(path, SheetPlan(rows=3, wrong=SLIP))
    book = openpyxl.load_workbook(path)
    book.active.sheet_state = state
    book.create_sheet("what is seen")
    book.active = 1
    book.save(path)
    (table,) = check_file(path).tables
    assert accused(table) == {("formula", "dE_dw3")}


def test_a_used_range_that_reaches_the_last_column_costs_nothing(tmp_path):
    path = tmp_path / "wide.xlsx"
    write_sheet(path, SheetPlan(rows=3))
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"] = 1
    book.save(path)
    start = time.process_time()
    (table,) = check_file(path).tables
    assert table.findings == ()
    assert time.process_time() - start < 5  # going through the range cell by cell would take hours


@pytest.mark.slow
def test_a_thousand_rows_and_a_mistake_in_the_last(tmp_path):
    path = tmp_path / "long.xlsx"
    address = write_sheet(path, SheetPlan(rows=1000, wrong={("dE_dw3", 999): EXPRESSIONS["dE_dw1"]}))
    (table,) = check_file(path).tables
    assert table.rows == 1000
    (finding,) = table.findings
    assert finding.cells == address("dE_dw3", 999)


def check_written(quantity, formula, path):
    """Check a sheet that writes a column in another way; column XA holds the inputs of each row below each other."""
    address = write_sheet(path, SheetPlan(rows=3))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    for index in range(3):
        cells = {name: address(name, index) for name in QUANTITIES}
        row = 2 * index + 1
        sheet[f"XA{row}"], sheet[f"XA{row + 1}"] = f"={cells['i1']}", f"={cells['i2']}"
        sheet[cells[quantity]] = formula.format(**cells, row=row, below=row + 1)
    book.save(path)
    (table,) = check_file(path).tables
    return table


@pytest.mark.parametrize(
    ("quantity", "formula"),
    [
        ("h1", "=MMULT({w1}:{w2},$XA${row}:$XA${below})"),
        ("h1", "=MMULT($XA$1:$XB$1,$XC$1:$XC$2)*0+{w1}*{i1}+{w2}*{i2}"),
        ("o1", "=SUM({w5}*{a_h1},{w6}*{a_h2})"),
        ("a_h1", "=1/(1+EXP(-1)^{h1})"),
        ("a_h1", "=POWER(1+EXP(-{h1}),-1)"),
        ("a_h1", "=SQRT(1/(1+EXP(-{h1}))^2)"),
        ("E1", "=50%*(-({a_o1}-{t1}))^2"),
        ("E1", "=-(-1/2)*({t1}-{a_o1})*({t1}-{a_o1})"),
        ("E_total", "=SUM({E1},{E2})"),
        ("dE_dw5", "=PRODUCT({a_o1}-{t1},{a_o1},1-{a_o1},{a_h1})"),
        ("dE_dw5", "=-({t1}-{a_o1})*({a_o1}-{a_o1}^2)*{a_h1}"),
        ("dE_dw5", "=(({a_o1})-{t1}) * {a_o1} *\n (1-{a_o1})*{a_h1}"),
    ],
)
def test_ways_of_writing_a_right_formula(quantity, formula, tmp_path):
    assert check_written(quantity, formula, tmp_path / "ways.xlsx").findings == ()


@pytest.mark.parametrize(
    ("quantity", "formula", "kind"),
    [
        ("E1", "=-0.5*({t1}-{a_o1})^2", "formula"),  # Excel reads the minus with the 0.5; the error is negative
        ("E1", "=0.5*-({t1}-{a_o1})^2*-1+-{t1}^2", "formula"),  # (-t1)^2 in Excel, -(t1^2) elsewhere
        ("a_h1", "=1/(1+EXP(-{h1}))^2", "formula"),
        ("o1", "=SUM({w5},{a_h1})*SUM({w6},{a_h2})", "formula"),
        ("h1", "=MMULT({w1}:{w2},{i1}:{i2})", "formula"),  # #VALUE!: the sizes don't fit
        ("h1", "=VLOOKUP({w1},{w1}:{w2},1)*{i1}", "unread"),
    ],
)
def test_ways_of_writing_a_wrong_or_unreadable_formula(quantity, formula, kind, tmp_path):
    assert accused(check_written(quantity, formula, tmp_path / "ways.xlsx")) == {(kind, quantity)}
