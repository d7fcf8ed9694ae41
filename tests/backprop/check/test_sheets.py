"""Right sheets as different people build them: none accused, every planted mistake found, none unread praised."""

import random
import tempfile
from pathlib import Path

from checks import quickly
from foreign import CONSTANTS, GRADIENTS, QUANTITIES, WEIGHTS, draw_sheet, wrong_cells
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.cell import coordinate_to_tuple, rows_from_range

from backprop.check.findings import COMPUTES_WRONGLY
from backprop.check.workbooks import check_file

seeds = st.integers(0, 1_000_000)


def check(sheet):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sheet.xlsx")
        sheet.save(path)
        report = check_file(path)
    assert report.error is None
    (table,) = report.tables
    return table


def accused(table):
    parts = (p for f in table.findings if f.kind in COMPUTES_WRONGLY for p in f.cells.split(","))
    cells = (coordinate_to_tuple(cell) for part in parts for row in rows_from_range(part) for cell in row)
    return {(table.sheet, *cell) for cell in cells}


@quickly
@given(seeds)
def test_right_sheets_are_right(seed):
    sheet = draw_sheet(seed)
    table = check(sheet)
    forward = len(QUANTITIES) - len(WEIGHTS) - len(CONSTANTS)
    assert (table.verdict, table.findings, table.rows) == ("right", (), sheet.rows)
    assert table.compared == forward * sheet.rows + len(WEIGHTS) * (sheet.rows - 1)


@quickly
@given(seeds, st.sampled_from(GRADIENTS), st.sampled_from(["*2", "+0.001", "^2", "*-1"]), st.booleans())
def test_a_wrong_gradient_is_found_in_its_cells_alone(seed, gradient, change, whole):
    sheet = draw_sheet(seed)
    rows = range(sheet.rows) if whole else range(1)
    cells = [sheet.cell(gradient, row) for row in rows]
    contents = {cell: f"=({sheet.cells[cell].lstrip('=')}){change}" for cell in cells}
    assert wrong_cells(sheet, contents) == set(cells)
    sheet.cells |= contents
    table = check(sheet)
    assert table.verdict == "wrong"
    assert accused(table) == set(cells)


@quickly
@given(seeds, st.sampled_from([*CONSTANTS, *WEIGHTS]))
def test_a_number_stored_as_a_text_is_the_only_mistake(seed, name):
    sheet = draw_sheet(seed)
    cell = sheet.cell(name, 0)
    sheet.cells[cell] = str(sheet.cells[cell]).replace(".", random.Random(seed).choice(",."))
    table = check(sheet)
    assert table.verdict == "wrong"
    assert {(f.kind, f.quantity) for f in table.findings} == {("text", name)}
    assert accused(table) == {cell}


@quickly
@given(seeds, st.sampled_from([q for q in QUANTITIES if q not in (*CONSTANTS, *WEIGHTS)]))
def test_what_can_not_be_read_is_never_praised(seed, name):
    sheet = draw_sheet(seed)
    cell = sheet.cell(name, 0)
    if cell in sheet.arrays:
        return
    sheet.cells[cell] = "=VLOOKUP(1,A1:B2,2)"
    table = check(sheet)
    assert table.verdict == "incomplete"
    assert [(f.kind, f.quantity) for f in table.findings] == [("unread", name)]


@quickly
@given(seeds, st.sampled_from(WEIGHTS))
def test_a_weight_without_a_header_makes_the_table_incomplete(seed, weight):
    sheet = draw_sheet(seed)
    sheet.table = False
    if any("Table1" in str(content) for content in sheet.cells.values()):
        return
    sheet.cells[sheet.cell(weight, -1)] = "something"
    table = check(sheet)
    assert (table.verdict, accused(table)) == ("incomplete", set())
