"""Sheets of any network: right ones are right, mistakes are found in their cells, and what can't be judged is named."""

import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from foreign import GRADIENTS, draw_sheet, wrong_cells
from mutants import accused_cells, draw_network_mutant, judge_mutant
from networks import draw_network_sheet, hold_against_differences
from presets import invent

from backprop.check.cells import Address
from backprop.check.graph import Graph
from backprop.check.networks import check_networks
from backprop.check.reading import read_workbook
from backprop.check.references import Formulas
from backprop.check.workbooks import check_file
from backprop.networks.presets import PRESETS
from backprop.sheet.workbook import WorkbookOptions, build_workbook

ONCE_PRAISED = (20393, 20733, 20590, 20378, 20489, 20608, 20773, 20738, 40081, 894, 418)
"""Divisions by a dead ReLU's 0, another typed η in one iteration or from the second on, outputs that do not depend on
their weights in the first iteration or in the last, an activation typed into the last or written otherwise in one."""
ONCE_ELSEWHERE = (20978, 4008, 20443, 20476, 20263, 20541, 20821, 20873, 40221, 40373, 40382, 912, 1448)
"""A matrix product that starts a row too early, gradients that read another row, a mean of one sample, a gradient that
adds what it should multiply, a sum over a row, an activation of the last iteration that reads a gradient, a typed
momentum and a net input that is typed into the first iteration."""
RIGHT, CLASS_SHEETS = range(3000, 3030), range(5000, 5015)
MUTANTS = [*range(4020, 4042), *range(4043, 4051), *ONCE_PRAISED, *ONCE_ELSEWHERE]
"""In 4042, a matrix formula reads a rectangle that has another shape: it is called wrong, but not in all its cells."""


def check(sheet):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sheet.xlsx")
        sheet.save(path)
        return check_file(path)


def write(path, contents):
    book = openpyxl.Workbook()
    for place, content in contents.items():
        book.active[place] = content
    book.save(path)
    return path


@pytest.mark.parametrize("seed", RIGHT)
def test_right_sheets_are_right_and_described(seed):
    sheet = draw_network_sheet(seed)
    for index in (0, 1):
        hold_against_differences(sheet, index, random.Random(seed + index))
    (table,) = check(sheet).tables
    assert (table.verdict, table.rows) == ("right", sheet.rows), table
    assert table.network.startswith(f"{'-'.join(map(str, sheet.plan.sizes))} {sheet.plan.activations[0]}")
    assert ("no biases" in table.network) == (not sheet.plan.biases)
    assert (f"{len(sheet.plan.samples)} samples" in table.network) == (len(sheet.plan.samples) > 1)
    assert ("cross-entropy" in table.network) == (sheet.plan.loss in ("cross", "softmax"))
    assert table.learning_rate.value == 0.5
    assert any("momentum 0.8" in note for note in table.notes) == (sheet.plan.momentum > 0)


@pytest.mark.parametrize("seed", MUTANTS)
def test_a_planted_mistake_is_found_in_its_cells(seed):
    _, outcome, words = judge_mutant(seed, draw_network_mutant)
    assert outcome in ("found", "equivalent"), words


def hold_slopes(formula, path):
    """Hold the slopes of a formula over A1:C2 against central differences."""
    cells = dict.fromkeys(("A1", "B1", "C1", "A2", "B2", "C2"), 0.0)
    graph = Graph(Formulas(read_workbook(write(path, cells | {"E5": formula}))), ())
    addresses = [Address("Sheet", row, column) for row in (1, 2) for column in (1, 2, 3)]
    numbers = np.random.default_rng(1).uniform(0.2, 0.9, (6, 8)) * np.repeat([[1.0, -1.0]], 4, axis=1)
    origin = Address("Sheet", 5, 5)

    def value(shift=None, distance=0.0):
        known = {a: n + distance * (a == shift) for a, n in zip(addresses, numbers, strict=True)}
        return graph.differentiate(origin, known.__getitem__, addresses)

    found = value()
    for address in addresses:
        differences = (value(address, 1e-6).value - value(address, -1e-6).value) / 2e-6
        slopes = np.broadcast_to(found.slopes[address], differences.shape)
        assert np.allclose(slopes, differences, rtol=1e-6, atol=1e-7, equal_nan=True), address


@pytest.mark.parametrize(
    "formula",
    [
        "=1/(1+EXP(-(A1*B1+C1)))",
        "=TANH(A1)*(1-B1^2)-C1^3/B2",
        "=IF(A1>0,A1*B1,C1)+MAX(0,B2)+MIN(A2,C2)",
        "=-(A1*LN(ABS(B1))+(1-A1)*LN(1+ABS(C1)))",
        "=SUM(A1:C2)*AVERAGE(A1:C1)-SUMSQ(A2:C2)",
        "=SUMPRODUCT((A1:C1-A2:C2)*(A1:C1-A2:C2))/2+SUMXMY2(A1:C1,A2:C2)",
        "=SUM(MMULT(A1:C1,TRANSPOSE(A2:C2)))",
        "=(A1>0)*B1*INDEX(A1:C2,2,ROW()-2)+OFFSET(A1,1,1)",
        "=POWER(ABS(A1),B1)+SQRT(C1^2+A2^2)+SIGN(B2)*PRODUCT(A1:C1)",
    ],
)
def test_slopes_are_central_differences(formula, tmp_path):
    hold_slopes(formula, tmp_path / "slopes.xlsx")


def accused(tables):
    return {cell for table in tables for cell in accused_cells(table)}


@pytest.mark.parametrize("seed", CLASS_SHEETS)
def test_class_sheets_go_both_ways(seed, tmp_path):
    sheet = draw_sheet(seed)
    numbers = random.Random(seed)
    gradient = numbers.choice(GRADIENTS)
    cells = [sheet.cell(gradient, index) for index in range(sheet.rows)]
    change = numbers.choice(["*2", "+0.001", "*-1"])
    mistake = {cell: f"=({sheet.cells[cell].lstrip('=')}){change}" for cell in cells}
    for contents in ({}, mistake):
        sheet.cells |= contents
        sheet.save(tmp_path / "class.xlsx")
        tables, _ = check_networks(Formulas(read_workbook(tmp_path / "class.xlsx")), ())
        by_name = check_file(tmp_path / "class.xlsx").tables
        assert (
            [table.network for table in tables] == [table.network for table in by_name] == ["2-2-2 sigmoid, no biases"]
        )
        assert [table.verdict for table in tables] == [table.verdict for table in by_name]
        assert accused(tables) == accused(by_name) == set(contents)


@pytest.mark.parametrize(
    ("sizes", "activations", "loss", "network"),
    [
        ((2, 2, 2), "sigmoid", "cross-entropy", "2-2-2 sigmoid, no biases, cross-entropy"),
        ((2, 3, 2), "sigmoid", "cross-entropy", "2-3-2 sigmoid, no biases, cross-entropy"),
        ((2, 2, 3), "linear", "mean squared error", "2-2-3 linear, no biases, mean squared error"),
        ((2, 2, 2), ["tanh", "sigmoid"], "half squared error", "2-2-2 tanh/sigmoid, no biases"),
        ((3, 2, 2), "leaky relu", "half squared error", "3-2-2 leaky relu, no biases"),
    ],
    ids=str,
)
def test_our_own_workbooks_with_other_losses_and_activations(sizes, activations, loss, network, tmp_path):
    path = tmp_path / "own.xlsx"
    build_workbook(WorkbookOptions(invent(sizes, activations, loss=loss), 0.5, 9)).save(path)
    report = check_file(path)
    assert (report.verdict, {table.network for table in report.tables}) == ("right", {network})
    spoil_a_gradient(path)


@pytest.mark.parametrize("name", PRESETS)
def test_the_workbook_of_every_shipped_network_is_right(name, tmp_path):
    preset = PRESETS[name]
    build_workbook(WorkbookOptions(preset, preset.learning_rate, 9)).save(tmp_path / "own.xlsx")
    assert check_file(tmp_path / "own.xlsx").verdict == "right"


@pytest.mark.parametrize("options", ["2,3,1 tanh biases", "2,3,2 relu", "1,2,1 sigmoid", "2,3,2,1 relu biases"])
def test_our_own_workbooks_of_other_networks(options, tmp_path):
    layers, activation, *biases = options.split()
    path = tmp_path / "own.xlsx"
    preset = invent([int(size) for size in layers.split(",")], activation, "per neuron" if biases else "none")
    build_workbook(WorkbookOptions(preset, 0.5, 9)).save(path)
    report = check_file(path)
    assert (report.verdict, len(report.tables)) == ("right", 7)
    assert {table.network.split(",")[0] for table in report.tables} == {f"{layers.replace(',', '-')} {activation}"}
    spoil_a_gradient(path)


def spoil_a_gradient(path):
    """Double a gradient of one cell, and see that this cell is named."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    header = next(c for row in sheet.iter_rows(max_row=40) for c in row if c.value == "∂E/∂w1")
    cell = sheet.cell(header.row + 1, header.column)
    right, cell.value = cell.value, f"{cell.value}*2"
    book.save(path)
    (table,) = [table for table in check_file(path).tables if table.verdict != "right"]
    (finding,) = table.findings
    assert (table.verdict, finding.cells, finding.quantity) == ("wrong", cell.coordinate, header.value)
    assert finding.expected == right


FORWARD = {"A1": "x", "A2": 0.5, "B1": "w", "B2": 0.3, "C1": "y", "C2": "=1/(1+EXP(-A2*B2))", "D2": "=(C2-1)^2/2"}


def test_a_forward_pass_alone_has_nothing_to_check_against(tmp_path):
    report = check_file(write(tmp_path / "forward.xlsx", FORWARD))
    assert report.verdict == "incomplete"
    assert "no formula updates a weight by a gradient" in report.error
    assert "nothing to check against" in report.error


def test_macros_and_solver_are_named(tmp_path):
    path = write(tmp_path / "forward.xlsx", FORWARD)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    links = parts["xl/_rels/workbook.xml.rels"].decode()
    kind = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="vbaProject.bin"/></Relationships>'
    parts["xl/_rels/workbook.xml.rels"] = links.replace("</Relationships>", link).encode()
    parts["xl/vbaProject.bin"] = b"macros"
    name = '<definedNames><definedName name="solver_opt" localSheetId="0">Sheet!$D$2</definedName></definedNames>'
    book = parts["xl/workbook.xml"].decode()
    book = book.replace("<definedNames/>", "").replace("<definedNames />", "")
    parts["xl/workbook.xml"] = book.replace("</sheets>", f"</sheets>{name}").encode()
    with zipfile.ZipFile(tmp_path / "macros.xlsm", "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    assert "macros and Solver may change its weights" in check_file(tmp_path / "macros.xlsm").error


def test_circular_formulas_are_named(tmp_path):
    cells = FORWARD | {"B2": "=B2-0.5*(C2-1)*C2*(1-C2)*A2"}
    assert "B2 refers to itself" in check_file(write(tmp_path / "circular.xlsx", cells)).error


def one_weight(rows, **changed):
    """Two weights, one neuron: x, w, b, y, E, dE/dw, dE/db in a row; `changed` replaces formulas."""
    formulas = {"w": "B{p}-$J$1*F{p}", "b": "C{p}-$J$1*G{p}", "E": "(D{r}-1)^2/2", "g": "(D{r}-1)*D{r}*(1-D{r})*A{r}"}
    formulas |= {"d": "(D{r}-1)*D{r}*(1-D{r})"} | changed
    cells = {
        "J1": 0.5,
        **dict(zip(("A1", "B1", "C1", "D1", "E1", "F1", "G1"), ("x", "w", "b", "y", "E", "dw", "db"), strict=True)),
    }
    for row in range(2, rows + 2):
        places = {"r": row, "p": row - 1}
        cells |= {f"A{row}": 0.7, f"D{row}": f"=1/(1+EXP(-(A{row}*B{row}+C{row})))"}
        for letter, name in zip("EFG", "Egd", strict=True):
            cells[f"{letter}{row}"] = "=" + formulas[name].format(**places)
        for letter, name, start in (("B", "w", 0.4), ("C", "b", -0.2)):
            cells[f"{letter}{row}"] = start if row == 2 else "=" + formulas[name].format(**places)
    return cells


@pytest.mark.parametrize(
    ("changed", "verdict", "cells", "words"),
    [
        ({}, "right", None, ""),
        ({"w": "B{p}-0.5*F{p}", "b": "C{p}-0.5*G{p}"}, "right", None, ""),
        ({"E": "(D{r}-1)^2", "g": "2*(D{r}-1)*D{r}*(1-D{r})*A{r}", "d": "2*(D{r}-1)*D{r}*(1-D{r})"}, "right", None, ""),
        ({"w": "B{p}+$J$1*F{p}"}, "wrong", "B3:B7", "+ stands where - belongs"),
        ({"w": "B{p}-J{p}*F{p}"}, "wrong", "B3:B7", "J2 stands where J1 belongs"),
        ({"g": "(D{r}-1)*D{r}*(1-D{r})*D{r}"}, "wrong", "F2:F7", "y stands where x belongs"),
        ({"d": "(D{r}-1)*D{r}*(1-D{r})*2"}, "wrong", "G2:G7", "the factor 2 does not belong there"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_the_smallest_change(changed, verdict, cells, words, tmp_path):
    (table,) = check_file(write(tmp_path / "sheet.xlsx", one_weight(6, **changed))).tables
    assert (table.verdict, table.network.split(",")[0]) == (verdict, "1-1 sigmoid")
    if cells:
        (finding,) = table.findings
        assert (finding.cells, finding.explanation) == (cells, words)
        assert finding.expected is not None
        repaired = one_weight(6, **changed) | {cells.partition(":")[0]: finding.expected}
        (again,) = check_file(write(tmp_path / "again.xlsx", repaired)).tables
        assert cells.partition(":")[0] not in [f.cells.partition(":")[0] for f in again.findings]


def test_a_typed_gradient_is_right_or_wrong_by_its_number(tmp_path):
    cells = one_weight(6)
    y = 1 / (1 + np.exp(-(0.7 * 0.4 - 0.2)))
    right = (y - 1) * y * (1 - y) * 0.7
    for number, kind in ((float(f"{right:.5g}"), "typed"), (float(f"{right * 1.2:.5g}"), "formula")):
        (table,) = check_file(write(tmp_path / "typed.xlsx", cells | {"F2": number})).tables
        assert [(f.kind, f.cells) for f in table.findings] == [(kind, "F2")]


def test_mutants_are_wrong_where_the_evaluator_says(tmp_path):
    """The judge itself: a mistake that changes nothing is none."""
    sheet = draw_network_sheet(7)
    quantity = sheet.backward[0]
    cell = sheet.cell(quantity, 1)
    assert wrong_cells(sheet, {cell: f"=1*({sheet.cells[cell][1:]})"}) == set()
    assert wrong_cells(sheet, {cell: f"=1.01*({sheet.cells[cell][1:]})"}) == {cell}
