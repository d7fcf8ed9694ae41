"""Sheets with biases: one a layer or one a neuron, in columns or in cells, trained or not."""

from dataclasses import replace

import openpyxl
import pytest
import sympy as sp
from checks import accused, check, layouts, quickly
from hypothesis import given
from hypothesis import strategies as st
from presets import invent
from sheets import SheetPlan, write_sheet

from backprop.check.workbooks import check_file
from backprop.derivation import derive
from backprop.networks.presets import PRESETS

SHARED = PRESETS["mazur"]
TRAINED = replace(SHARED, network=replace(SHARED.network, trains_biases=True))
OWN = invent((2, 2, 2), biases="per neuron")
presets = st.sampled_from([SHARED, TRAINED, OWN])


@quickly
@given(plan=layouts, preset=presets)
def test_no_correct_sheet_with_biases_is_accused(plan, preset):
    plan.preset = preset
    table, _ = check(plan)
    assert table.findings == ()
    stays = "trained biases" if preset.network.trains_biases else "biases that stay as they are"
    assert (table.verdict, table.network) == ("right", f"2-2-2 sigmoid, {stays}")


@quickly
@given(plan=layouts, preset=st.sampled_from([TRAINED, OWN]), data=st.data())
def test_a_wrong_gradient_of_a_bias_is_found(plan, preset, data):
    plan.preset, plan.rows = preset, max(plan.rows, 3)
    biases = preset.network.biases
    bias = data.draw(st.sampled_from(biases))
    other = data.draw(st.sampled_from([name for name in biases if name != bias]))
    wrong = derive(preset.network).equation(f"dE_d{other}").expression
    plan.wrong = {(f"dE_d{bias}", 0): wrong}
    table, address = check(plan)
    assert accused(table) == {("formula", f"dE_d{bias}")}
    assert table.findings[0].cells == f"{address(f'dE_d{bias}', 0)}:{address(f'dE_d{bias}', plan.rows - 1)}"
    assert table.findings[0].max_relative_error > 1e-6


@quickly
@given(plan=layouts, bias=st.sampled_from(["b1", "b2"]), data=st.data())
def test_a_wrong_update_of_a_bias_is_found(plan, bias, data):
    plan.preset, plan.rows = TRAINED, max(plan.rows, 3)
    plus = sp.Symbol(bias) + sp.Symbol("eta") * sp.Symbol(f"dE_d{bias}")
    plan.wrong = {(bias, 1): plus}
    table, _ = check(plan)
    assert accused(table) == {("formula", bias)}
    assert "sign" in table.findings[0].explanation


def test_a_bias_that_a_net_input_forgets_is_found():
    net_input = derive(SHARED.network).equation("o2").expression
    table, _ = check(SheetPlan(preset=TRAINED, rows=3, wrong={("o2", 1): net_input - sp.Symbol("b2")}))
    assert accused(table) == {("formula", "o2")}
    assert table.findings[0].explanation == "the term b2 is missing from the sum"


def test_the_gradient_of_a_shared_bias_needs_both_neurons():
    gradient = derive(TRAINED.network).equation("dE_db2").expression
    table, _ = check(SheetPlan(preset=TRAINED, rows=3, wrong={("dE_db2", 0): gradient.args[0]}))
    assert accused(table) == {("formula", "dE_db2")}
    assert "is missing from the sum" in table.findings[0].explanation


@pytest.mark.parametrize(
    ("biases", "wrong"),
    [
        ({"h1": "+$B$2", "h2": "+$B$2", "o1": "+$B$3", "o2": "+$B$3"}, set()),
        ({"h1": "+0.35", "h2": "+0.35"}, set()),
        ({"o1": "+$B$4", "o2": "+$B$3"}, set()),  # a bias of 0 beside one of 0.6
        ({"h1": "+1"}, {("formula", "h1")}),
        ({"o2": "-$B$3"}, {("formula", "o2")}),
    ],
)
def test_constants_are_biases_if_every_neuron_of_the_layer_adds_one(biases, wrong, tmp_path):
    path = tmp_path / "biases.xlsx"
    address = write_sheet(path, SheetPlan(rows=3))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet["B2"], sheet["B3"], sheet["B4"] = 0.35, 0.6, 0
    for row in range(3):
        for neuron, bias in biases.items():
            sheet[address(neuron, row)] = sheet[address(neuron, row)].value + bias
    book.save(path)
    (table,) = check_file(path).tables
    assert accused(table) == wrong


def test_a_gradient_of_a_bias_that_does_not_exist_is_named(tmp_path):
    path = tmp_path / "none.xlsx"
    address = write_sheet(path, SheetPlan(rows=2))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    column = sheet.max_column + 1
    sheet.cell(32, column, "dE/db1")
    for row in (0, 1):
        sheet.cell(33 + row, column, f"=({address('a_o1', row)}-{address('t1', row)})")
    book.save(path)
    (table,) = check_file(path).tables
    assert accused(table) == {("unread", "dE_db1")}
    assert "belongs to no bias" in table.findings[0].explanation
