import openpyxl
import pytest
import sympy as sp
from checks import accused, check, layouts, quickly
from hypothesis import given
from hypothesis import strategies as st
from presets import CLASS_LIKE
from sheets import EXPRESSIONS, PRESET, QUANTITIES, UPDATES, SheetPlan, write_sheet

from backprop.check.workbooks import check_file
from backprop.derivation import derive, slips
from backprop.networks.presets import PRESETS
from backprop.notation import factors_of, product
from backprop.sheet.workbook import WorkbookOptions, build_workbook

COMPUTED = tuple(q for q in QUANTITIES if q in EXPRESSIONS)
GRADIENTS = tuple(q for q in QUANTITIES if q.startswith("dE_d"))
SUMS = ("dE_dw1", "dE_dw2", "dE_dw3", "dE_dw4")
PAIRS = (("t1", "t2"), ("i1", "i2"), ("a_h1", "a_h2"), ("a_o1", "a_o2"))
KINDS = (*PAIRS, ("w1", "w2", "w3", "w4"), ("w5", "w6", "w7", "w8"))
EXCHANGEABLE = [q for q in COMPUTED if q not in ("E_total", "a_h1", "a_h2", "a_o1", "a_o2")]


@quickly
@given(plan=layouts)
def test_no_correct_sheet_is_accused(plan):
    table, _ = check(plan)
    assert table.findings == ()
    assert table.learning_rate.value == (0.5 if plan.rows > 1 else None)


def exchanged(data, name):
    """Draw a formula that reads one quantity in place of another of its kind."""
    expression = EXPRESSIONS[name]
    present = {str(s) for s in expression.free_symbols}
    choices = [(old, new) for kind in KINDS for old in kind for new in kind if old in present and new != old]
    old, new = data.draw(st.sampled_from(choices))
    return expression.doit().xreplace({sp.Symbol(old): sp.Symbol(new)}), f"{new} stands where {old} belongs"


@quickly
@given(plan=layouts, name=st.sampled_from(EXCHANGEABLE), data=st.data())
def test_an_exchanged_quantity_is_found_and_named(plan, name, data):
    wrong, words = exchanged(data, name)
    start = data.draw(st.integers(0, plan.rows - 1))
    plan.wrong = {(name, start): wrong}
    table, address = check(plan)
    assert accused(table) == {("formula", name)}
    (finding,) = table.findings
    first, last = address(name, start), address(name, plan.rows - 1)
    assert finding.cells == (first if first == last else f"{first}:{last}")
    if name in GRADIENTS:
        assert finding.explanation == words


@quickly
@given(plan=layouts, name=st.sampled_from(GRADIENTS), data=st.data())
def test_a_missing_factor_a_wrong_sign_and_missing_brackets_are_found(plan, name, data):
    expression = EXPRESSIONS[name]
    factors = list(factors_of(expression))
    kind = data.draw(st.sampled_from(["sign", "factor", "brackets"] if name in SUMS else ["sign", "factor"]))
    if kind == "sign":
        wrong, words = product((-1, *expression.args)), "sign"
    elif kind == "factor":
        dropped = data.draw(st.integers(0, len(expression.args) - 1))
        kept = [f for place, f in enumerate(expression.args) if place != dropped]
        wrong, words = product(kept), "is missing"
    else:
        (total, *rest) = expression.args
        wrong, words = (
            sp.Add(*total.args[:-1], product((total.args[-1], *rest)), evaluate=False),
            "brackets are missing",
        )
    assert factors
    plan.wrong = {(name, 0): wrong}
    table, _ = check(plan)
    assert accused(table) == {("formula", name)}
    assert words in table.findings[0].explanation


@quickly
@given(plan=layouts, name=st.sampled_from(COMPUTED), data=st.data())
def test_a_typed_number_that_is_not_what_its_row_gives_is_wrong(plan, name, data):
    row = data.draw(st.integers(0, plan.rows - 1))
    plan.typed = {(name, row): 0.123}
    table, address = check(plan)
    assert accused(table) == {("formula", name)}
    assert table.findings[0].cells == address(name, row)


@quickly
@given(plan=layouts, name=st.sampled_from(sorted(UPDATES)))
def test_a_learning_rate_that_is_not_anchored_is_found(plan, name):
    plan.rows, plan.unanchored = max(plan.rows, 4), name
    table, _ = check(plan)
    assert accused(table) == {("formula", name)}
    assert table.learning_rate.value == 0.5


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("=1/(1+EXP({h1}))", "the sign of h1 is the wrong way round"),
        ("=1/(1+EXP(-{h2}))", "h2 stands where h1 belongs"),
        ("=1/1+EXP(-{h1})", None),
        ("=1/(1-EXP(-{h1}))", None),
        ("=EXP(-9103)", None),
    ],
)
def test_a_wrong_sigmoid_is_found_and_explained(formula, words, tmp_path):
    path = tmp_path / "sigmoid.xlsx"
    address = write_sheet(path, SheetPlan(rows=2))
    book = openpyxl.load_workbook(path)
    for row in (0, 1):
        cells = {name: address(name, row) for name in ("h1", "h2")}
        book.active[address("a_h1", row)] = formula.format(**cells)
    book.save(path)
    (table,) = check_file(path).tables
    assert accused(table) == {("formula", "a_h1")}
    assert words is None or table.findings[0].explanation == words


@pytest.mark.slow
@pytest.mark.parametrize("preset", CLASS_LIKE)
def test_our_own_workbook_passes_and_as_taught_is_accused_of_its_two_columns(preset, tmp_path):
    for taught in (False, True):
        path = tmp_path / f"{taught}.xlsx"
        build_workbook(WorkbookOptions(PRESETS[preset], 0.5, 8, taught)).save(path)
        report = check_file(path)
        assert len(report.tables) == 7
        wrong = {slip.name for slip in slips(derive(PRESETS[preset].network))} if taught else set()
        for table in report.tables:
            assert {f.quantity for f in table.findings if f.kind == "formula"} == wrong
            assert {f.kind for f in table.findings} <= {"formula"}


def test_weights_numbered_another_way_are_right(tmp_path):
    plan = SheetPlan()
    path = tmp_path / "renamed.xlsx"
    write_sheet(path, plan)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    other = {"w2": "w3", "w3": "w2", "w6": "w7", "w7": "w6"}
    for cell in sheet[plan.top]:
        text = str(cell.value)
        for name, new in other.items():
            if text.strip() == name or (text[-1:] == name[-1] and "w" in text.lower()):
                cell.value = text.replace(name[-1], new[-1])
                break
    book.save(path)
    (table,) = check_file(path).tables
    assert table.findings == ()
    assert any("another order" in note for note in table.notes)


def test_helper_cells_names_sums_and_other_sheets_are_followed(tmp_path):
    path = tmp_path / "helpers.xlsx"
    plan = SheetPlan(rows=4)
    address = write_sheet(path, plan)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    other = book.create_sheet("my η")
    other["B2"] = 0.5
    book.defined_names["rate"] = openpyxl.workbook.defined_name.DefinedName("rate", attr_text="'my η'!$B$2")
    sheet["D31"] = "=rate"
    for row in range(4):
        a = {name: address(name, row) for name in QUANTITIES}
        sheet[f"AH{33 + row}"] = f"=({a['a_o1']}-{a['t1']})*{a['a_o1']}*(1-{a['a_o1']})"
        sheet[a["dE_dw5"]] = f"=AH{33 + row}*{a['a_h1']}"
        sheet[a["dE_dw6"]] = f"=PRODUCT(AH{33 + row},{a['a_h2']})"
        sheet[a["E_total"]] = f"=SUM({a['E1']}:{a['E2']})"
        sheet[a["E1"]] = f"=POWER({a['t1']}-{a['a_o1']},2)/2"
        sheet[a["E2"]] = f"=50%*({a['a_o2']}-{a['t2']})^2"
        sheet[a["a_h1"]] = f"=EXP({a['h1']})/(1+EXP({a['h1']}))"
        sheet[a["h2"]] = f"=SUMPRODUCT({a['w3']}:{a['w4']},{a['i1']}:{a['i2']})"
    book.save(path)
    (table,) = check_file(path).tables
    assert table.findings == ()
    assert table.learning_rate.value in (0.5, None)


def test_the_slip_is_told_apart_even_where_targets_are_equal(tmp_path):
    plan = SheetPlan(rows=3)
    plan.wrong = {("dE_dw7", 0): EXPRESSIONS["dE_dw7"].doit().xreplace({sp.Symbol("t2"): sp.Symbol("t1")})}
    path = tmp_path / "equal.xlsx"
    address = write_sheet(path, plan)
    book = openpyxl.load_workbook(path)
    book.active[address("t1", 0)] = book.active[address("t2", 0)] = 0.5
    for row in (1, 2):
        book.active[address("t1", row)] = book.active[address("t2", row)] = 0.5
    book.save(path)
    (table,) = check_file(path).tables
    assert accused(table) == {("formula", "dE_dw7")}
    assert table.findings[0].max_relative_error < 1e-12
    assert PRESET.values["t1"] != PRESET.values["t2"]


def test_stale_results_and_charts_that_skip_rows_are_findings_of_their_own(tmp_path):
    path = tmp_path / "own.xlsx"
    book = build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 12))
    import re
    import zipfile

    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = re.sub(
        rb'(r="W40"[^>]*><f>[^<]*</f><v>)[^<]*', rb"\g<1>0.5", parts["xl/worksheets/sheet1.xml"]
    )
    parts["xl/charts/chart1.xml"] = parts["xl/charts/chart1.xml"].replace(b"$W$33:$W$44", b"$W$33:$W$41")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    table = check_file(path).tables[0]
    assert accused(table) == {("stale", "E_total"), ("chart", "E_total")}
    chart = next(f for f in table.findings if f.kind == "chart")
    assert chart.cells == "W42:W44"


def test_a_start_that_is_a_formula_vouches_for_no_row_below_it(tmp_path):
    """Starting values may be anything, updates may not: here each row repeats the first one's formula."""
    path = tmp_path / "starts.xlsx"
    address = write_sheet(path, SheetPlan(rows=4))
    book = openpyxl.load_workbook(path)
    for row in range(4):
        book.active[address("w1", row)] = f"={address('i1', row)}*3"
    book.save(path)
    (table,) = check_file(path).tables
    (finding,) = table.findings
    assert (finding.kind, finding.quantity) == ("formula", "w1")
    assert finding.cells == f"{address('w1', 1)}:{address('w1', 3)}"


def test_a_gradient_that_reads_another_one_is_found():
    table, _ = check(SheetPlan(rows=3, wrong={("dE_dw3", 0): sp.Symbol("dE_dw4")}))
    assert accused(table) == {("formula", "dE_dw3")}
    assert table.findings[0].explanation == "it only repeats ∂E_total/∂w4"
    assert table.findings[0].max_total_error_shift > 0
