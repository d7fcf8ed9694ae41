"""The page of a check as a file: what it says, what stays text, what it weighs."""

import re
from dataclasses import replace

import pytest
from checks import accused
from hypothesis import given
from hypothesis import strategies as st
from sheets import EXPRESSIONS, SheetPlan, write_sheet

from backprop.check.findings import FORMULA, Effect, FileReport, Finding, LearningRate, TableReport
from backprop.copies.orders import Orders, check_and_copy
from backprop.networks.presets import PRESETS
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from reports.check_page import render_check
from reports.views.check import mark_differences, view_check

RATE = LearningRate("D31", 0.5, "$D$31")
FORMULAS = st.text("=AZ129$+-*/^(),. \"'!αß", max_size=30)


def report(name, *findings, fingerprint=""):
    table = TableReport("Sheet1", "A32", 6, "2-2-2 sigmoid, no biases", 100, RATE, findings, (), fingerprint)
    return FileReport(name, None, (table,))


def wrong(quantity="dE_dw3", explanation="a_h1 stands where a_h2 belongs", **more):
    return Finding(FORMULA, quantity, "Z33:Z38", "=J33*C33", "=L33*C33", explanation, **more)


@given(FORMULAS, FORMULAS)
def test_marked_formulas_are_the_formulas(found, expected):
    for text, pieces in zip((found, expected), mark_differences(found, expected), strict=True):
        # Spaces at the end belong to no token.
        assert "".join(piece for piece, _ in pieces).rstrip() == text.rstrip()


def test_only_what_differs_is_marked():
    found, expected = mark_differences("=(R33 - A33)*J33*C33", "=(R33-A33)*L33*C33")
    assert [piece for piece, differs in found if differs] == ["J33"]
    assert [piece for piece, differs in expected if differs] == ["L33"]
    assert mark_differences("=Y41*C41", "=SUM(A1:A9)")[0] == (("=Y41*C41", False),)  # another formula altogether


def test_files_with_the_same_mistake_are_counted_and_the_class_sheets_slip_is_named():
    both = wrong("dE_dw3"), wrong("dE_dw4")
    reports = [report(f"{n}.xlsx", *both) for n in range(3)]
    reports += [report("other.xlsx", wrong("h1", "the sign is the wrong way round")), report("right.xlsx")]
    page = view_check(reports, strict=False)
    (group,) = page.mistakes
    assert (group.subjects, len(group.files), group.is_slip) == ("∂E/∂w3 and ∂E/∂w4", 3, True)
    html = render_check(reports)
    assert re.search(r"<strong>3 of 5</strong> carry the class sheet’s slip: ∂E/∂w3 and ∂E/∂w4", html)
    renamed = [report(f"{n}.xlsx", wrong("dE_dw3", "the sign is the wrong way round")) for n in range(2)]
    assert "<strong>2 of 2</strong> have the same mistake: ∂E/∂w3: the sign" in render_check(renamed)


def test_the_slip_is_the_one_that_check_finds_in_the_sheet_as_taught(tmp_path):
    paths = [tmp_path / name for name in ("a.xlsx", "b.xlsx")]
    for path in paths:
        build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 6, as_taught=True)).save(path)
    page = view_check([check_and_copy(Orders(excerpts=True), path) for path in paths], strict=False)
    assert page.mistakes[0].is_slip
    assert [file.name for file in page.same[0]] == ["a.xlsx", "b.xlsx"]


def test_pairs_that_compute_the_same_are_named():
    reports = [report(f"{n}.xlsx", fingerprint=print_) for n, print_ in enumerate(["x", "y", "x"])]
    html = render_check(reports)
    assert re.search(
        r'The same formulas and numbers: <span class="names"><a href="#file-1">0.xlsx</a>, <a href="#file-3">', html
    )


def test_the_picture_shows_headers_first_rows_and_where_a_mistake_begins(tmp_path):
    path = tmp_path / "sheet.xlsx"
    address = write_sheet(path, SheetPlan(rows=9, wrong={("a_h2", 6): EXPRESSIONS["a_h1"]}))
    (file,) = view_check([check_and_copy(Orders(excerpts=True), path)], strict=False).files
    (table,) = file.tables
    (picture,) = table.pictures
    assert [row for row, _ in picture.rows] == [32, 33, 34, 35, 38, 39]
    assert picture.gaps == (38,)
    marked = {
        f"{letters}{row}": (cell.state, cell.mark)
        for row, cells in picture.rows
        for letters, cell in zip(picture.letters, cells, strict=True)
        if cell.state
    }
    assert marked == {address("a_h2", 6): ("wrong", 1)}
    assert accused(table.table) == {("formula", "a_h2")}


def test_effects_are_drawn_where_they_are_known():
    effect = Effect(0.5, 1e-9, ((0, 0.5), (3, 0.25)), ((1, 1e-8), (3, 1e-6)))
    view = view_check([report("a.xlsx", wrong(effect=effect), wrong("dE_dw4"))], strict=False)
    first, second = view.files[0].tables[0].findings
    assert [curve.name for curve in first.chart.curves] == ["∂E/∂w3", "E_total"]
    assert first.chart.ticks[0][1] == "10⁰"
    assert (
        first.chart.description
        == "∂E/∂w3 is off by up to 0.5 of its size; that moves E_total by up to 1e-09 over the run"
    )
    assert second.chart is None


HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[2J{{ 7*7 }}</script><script>alert(2)</script>\"'&amp;"


def test_hostile_texts_stay_text():
    finding = replace(wrong(), quantity=HOSTILE, found=f"={HOSTILE}", expected=f'="{HOSTILE}"', explanation=HOSTILE)
    table = TableReport(
        HOSTILE, "A32", 6, HOSTILE, 1, LearningRate("A1", float("nan"), ""), (finding,), (HOSTILE,), "x"
    )
    html = render_check(
        [FileReport(f"{HOSTILE}.xlsx", None, (table,)), FileReport("b", HOSTILE), FileReport("\udcff", None, (table,))]
    )
    assert html.count("<script") == 1
    assert "<img" not in html
    assert "{{ 7" in html and "49" not in html.split("{{ 7")[1][:9]
    assert not set("\u202e\x1b") & set(html)
    html.encode("utf-8")  # the name of the last file is no text


@pytest.mark.slow
def test_sixty_sheets_weigh_less_than_two_megabytes(tmp_path):
    paths = []
    for seed, name in enumerate(["dE_dw3", "dE_dw1", "h2", "E1"]):
        paths.append(tmp_path / f"{seed}.xlsx")
        mistakes = {(name, 0): -EXPRESSIONS[name], ("dE_dw4", 30): -EXPRESSIONS["dE_dw4"]}
        write_sheet(paths[-1], SheetPlan(seed, rows=68, helpers=9, wrong=mistakes))
    reports = [check_and_copy(Orders(excerpts=True), path) for path in paths] * 15
    assert all(len(table.findings) == 2 and table.findings[0].effect for r in reports for table in r.tables)
    assert len(render_check(reports).encode()) < 2_000_000
