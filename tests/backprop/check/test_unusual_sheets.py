"""Unusual formulas, numbers, texts and headers: what is right stays right, and nothing takes the check down."""

import re
import time
import zipfile
from dataclasses import replace

import openpyxl
import pytest
from checks import accused
from sheets import EXPRESSIONS, SheetPlan, write_sheet

from backprop.__main__ import main
from backprop.check.workbooks import check_file
from backprop.networks.presets import PRESETS

HELPER = "AZ"


def check(tmp_path, plan, change):
    """Write a planned sheet, change it by hand, and check it; returns the one table's report."""
    path = tmp_path / "sheet.xlsx"
    address = write_sheet(path, plan)
    book = openpyxl.load_workbook(path)
    change(book.active, address)
    book.save(path)
    report = check_file(path)
    assert report.error is None
    (table,) = report.tables
    return table


@pytest.mark.parametrize(
    "formula",
    ["=1/(1+ABS(-{h1}))", "=1/(1+EXP(1))", "=1/(1+LN({h1}+9))", "=1/(1+PI()*{h1})", "=ABS({h1})^{h2}", "=SQRT({h1})"],
)
def test_functions_that_the_exercise_does_not_use_are_a_mistake_of_their_cell_alone(formula, tmp_path):
    def change(sheet, address):
        sheet[address("a_h1", 1)] = formula.format(h1=address("h1", 1), h2=address("h2", 1))

    table = check(tmp_path, SheetPlan(rows=3), change)
    assert accused(table) == {("formula", "a_h1")}


def test_an_exponential_that_overflows_is_wrong(tmp_path):
    def change(sheet, address):
        sheet[address("a_h1", 1)] = f"={address('h1', 1)}+" + "EXP(" * 30 + "1" + ")" * 30

    table = check(tmp_path, SheetPlan(rows=3), change)
    assert accused(table) == {("formula", "a_h1")}
    assert "EXP of more than 709" in table.findings[0].explanation


@pytest.mark.parametrize("formula", ["=SQRT(-1)", "=LN({h1}-{h1}-2)"])
def test_what_has_no_real_value_is_wrong(formula, tmp_path):
    def change(sheet, address):
        sheet[address("a_h1", 1)] = formula.format(h1=address("h1", 1))

    table = check(tmp_path, SheetPlan(rows=3), change)
    assert accused(table) == {("formula", "a_h1")}
    assert "negative number" in table.findings[0].explanation


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("={0}+{0}", 38),
        ("=SUM({0},{0},1)", 38),
        ("=EXP({0})", 15),
        ("={0}*{0}", 30),
        ("=({0}+1)^20", 6),
        ("=1/(1+EXP(-{0}))", 37),
        ("={0}^2+{0}", 12),
    ],
)
def test_helper_cells_that_grow_without_bounds_are_given_up_cell_by_cell(step, count, tmp_path):
    def change(sheet, address):
        sheet[f"{HELPER}1"] = f"={address('i1', 0)}+{address('i2', 0)}"
        for row in range(1, count):
            sheet[f"{HELPER}{row + 1}"] = step.format(f"{HELPER}{row}")
        sheet[address("dE_dw5", 1)] = f"={HELPER}{count}"

    start = time.process_time()
    table = check(tmp_path, SheetPlan(rows=3), change)
    assert {finding.quantity for finding in table.findings} == {"dE_dw5"}
    assert time.process_time() - start < 8


@pytest.mark.parametrize(
    "formula",
    ["=((2^1000)^1000)^1000", "={t1}^1000^1000", "=({t1}+{t2}+{i1}+{i2})^900", "=1/({t1}+{t2}+{i1}+{i2})^900"],
)
def test_powers_that_would_take_hours_are_left_unread(formula, tmp_path):
    def change(sheet, address):
        cells = {name: address(name, 1) for name in ("t1", "t2", "i1", "i2")}
        sheet[address("dE_dw5", 1)] = formula.format(**cells)

    table = check(tmp_path, SheetPlan(rows=3), change)
    assert {finding.quantity for finding in table.findings} == {"dE_dw5"}


def test_line_breaks_in_texts_names_and_formulas_stay_out_of_the_lines(tmp_path, capsys):
    def change(sheet, address):
        sheet[f"{HELPER}1"] = "two\nlines"
        sheet[address("dE_dw5", 0)] = f"={HELPER}1*2"
        sheet[address("dE_dw6", 0)] = "='no\nsuch'!A1"
        sheet[address("dE_dw7", 0)] = f"={address('t1', 0)}\n+1"

    table = check(tmp_path, SheetPlan(rows=2), change)
    assert {finding.quantity for finding in table.findings} == {"dE_dw5", "dE_dw6", "dE_dw7"}
    assert all(len(finding.explanation.splitlines()) == 1 for finding in table.findings)
    main(["check", "--strict", str(tmp_path / "sheet.xlsx")])
    printed = capsys.readouterr().out
    assert re.search(r"found     =[A-Z]+[0-9]+ \+1\n", printed)
    assert "the text “two lines”" in printed


@pytest.mark.parametrize("number", ["1E999", "-1E999", "9" * 400])
@pytest.mark.parametrize("name", ["t1", "dE_dw5", "w1", "helper", "result"])
def test_numbers_that_no_double_can_hold_are_no_numbers(number, name, tmp_path):
    path = tmp_path / "sheet.xlsx"
    address = write_sheet(path, SheetPlan(rows=3))
    book = openpyxl.load_workbook(path)
    place = f"{HELPER}1" if name == "helper" else address("E1" if name == "result" else name, 0)
    book.active[address("dE_dw6", 0)] = f"={HELPER}1"
    if name != "result":
        book.active[place] = 123456
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part).decode() for part in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    if name == "result":
        parts[sheet] = re.sub(
            rf'(r="{place}"[^>]*><f>[^<]*</f>)<v(?: ?/>|></v>)', rf"\g<1><v>{number}</v>", parts[sheet]
        )
    else:
        parts[sheet] = parts[sheet].replace("<v>123456</v>", f"<v>{number}</v>")
    assert number in parts[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    report = check_file(path)
    assert report.error is None
    assert "dE_dw6" in {finding.quantity for finding in report.tables[0].findings}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("unnamed", [("t1",), ("t2",), ("i1",), ("i2",), ("t1", "t2", "i1", "i2")], ids=" ".join)
@pytest.mark.parametrize("preset", ["class", "mazur"])
def test_inputs_and_targets_may_stand_outside_the_table(unnamed, preset, seed, tmp_path):
    def change(sheet, address):
        for name in unnamed:
            sheet[address(name, -1)] = "given"

    plan = SheetPlan(seed=seed, rows=4, preset=PRESETS[preset])
    assert check(tmp_path, plan, change).findings == ()
    slip = {("dE_dw3", 0): EXPRESSIONS["dE_dw1"], ("E1", 2): EXPRESSIONS["E2"]}
    table = check(tmp_path, replace(plan, wrong=slip), change)
    assert accused(table) == {("formula", "dE_dw3"), ("formula", "E1")}
    assert all(finding.max_relative_error is not None for finding in table.findings)


@pytest.mark.parametrize(("weight", "unread"), [("w1", {"h1"}), ("w4", {"h2"}), ("w5", {"o1", "dE_dw1", "dE_dw2"})])
def test_a_weight_whose_header_says_nothing_makes_nobody_wrong(weight, unread, tmp_path):
    columns = set()

    def change(sheet, address):
        sheet[address(weight, -1)] = "something"
        columns.update(f"{address(q, 0)}:{address(q, 67)}" for q in unread)

    start = time.process_time()
    table = check(tmp_path, SheetPlan(rows=68), change)
    (finding,) = table.findings
    assert (finding.kind, finding.quantity, set(finding.cells.split(","))) == ("unread", weight, columns)
    assert (table.verdict, finding.explanation) == ("incomplete", f"no column has a header that says {weight}")
    assert time.process_time() - start < 8


def test_a_mistake_that_reads_a_weight_without_a_header_costs_no_more(tmp_path):
    def change(sheet, address):
        sheet[address("w5", -1)] = "something"
        for row in range(68):
            there = {name: address(name, row) for name in ("a_o2", "t2", "w5", "a_h2")}
            sheet[address("dE_dw8", row)] = "=({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{w5}".format(**there)

    start = time.process_time()
    table = check(tmp_path, SheetPlan(rows=68), change)
    assert ("formula", "dE_dw8") in accused(table)
    assert {finding.quantity for finding in table.findings} == {"w5", "dE_dw8"}
    assert time.process_time() - start < 10


@pytest.mark.parametrize("slope", ["dE_dw1", "dE_dw6"])
def test_an_update_may_spell_its_gradient_out(slope, tmp_path):
    def change(sheet, address):
        sheet[address(slope, -1)] = "a helper"

    assert check(tmp_path, SheetPlan(rows=4), change).findings == ()
    wrong = SheetPlan(rows=4, wrong={(slope, 0): -EXPRESSIONS[slope].doit()})
    assert accused(check(tmp_path, wrong, change)) == {("formula", slope.removeprefix("dE_d"))}
