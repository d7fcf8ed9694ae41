import csv
import io
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from checks import changed
from sheets import SheetPlan, write_sheet

from backprop.__main__ import main
from backprop.check import package, workbooks
from backprop.check.tables import parse_header
from backprop.check.workbooks import check_file, check_files, collect_files
from backprop.networks.presets import PRESETS
from backprop.sheet.workbook import WorkbookOptions, build_workbook


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "good.xlsx"
    write_sheet(path, SheetPlan(rows=3))
    return path


def entities(parts):
    name = "xl/worksheets/sheet1.xml"
    parts[name] = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]>' + parts[name]


def bomb(parts):
    parts["xl/worksheets/sheet1.xml"] += b" " * 3_000_000


def no_workbook(parts):
    del parts["xl/workbook.xml"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (entities, "entities"),
        (bomb, "unpacks to more than 2 MB"),
        (no_workbook, "no workbook"),
    ],
)
def test_dangerous_archives_end_with_one_line(change, words, sheet, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "MAX_UNPACKED", 2_000_000)
    monkeypatch.setattr(package.Package, "_remaining", 2_000_000)
    report = check_file(changed(sheet, tmp_path / "bad.xlsx", change))
    assert words in report.error
    assert "\n" not in report.error


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an .xlsx file"),
        (b"just a text", "not an .xlsx file"),
        (package.OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"PK\x03\x04" + bytes(200), "not an .xlsx file"),
    ],
)
def test_what_is_no_workbook_is_told_and_the_others_are_checked(content, words, sheet, tmp_path, capsys):
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(content)
    assert main(["check", str(bad), str(sheet), str(tmp_path / "missing.xlsx"), "--json"]) == 2
    files = json.loads(capsys.readouterr().out)["files"]
    assert words in files[0]["error"]
    assert files[1]["error"] is None
    assert files[1]["tables"][0]["findings"] == []
    assert "No such file" in files[2]["error"]


SNIPPETS = (b"", b"<", b"9", b"$", b"!", b'"', b"(")
BROKEN = [
    "=" + "(" * 3000 + "1" + ")" * 3000,
    "=" + "-" * 4000 + "1",
    "=" + "+".join(["A1"] * 1500),
    "=2^2^2^2^9999999",
    "=EXP(EXP(EXP(EXP(9999))))",
    "=[1]Sheet1!A1",
    '=WEBSERVICE("x")',
    "=IF(A1>0,1,2)",
    "=1/0",
    "=#REF!*2",
    "=A1:",
    "=SUM(A1:XFD1048576)",
    "=MMULT(A1:B1)",
    "=C33+(10^999)^9^9",
    "=C33+(1E9^999)*(1E9^999)",
    "=MMULT()",
    "=)(",
    "={1,2}",
    "=nowhere!A1",
    "=undefined_name*2",
    "=0^(C33-D33-9)",
    "=POWER(2)",
    "=POWER(1,2,3)",
    "=EXP()",
    "=EXP((-8)^(1/3))",
    "=SQRT(A33-9)*C33",
]


@pytest.mark.parametrize("formula", BROKEN, ids=lambda f: f[:20])
def test_no_formula_crashes_the_check_and_the_rest_is_still_checked(formula, tmp_path):
    path = tmp_path / "broken.xlsx"
    address = write_sheet(path, SheetPlan(rows=3))
    book = openpyxl.load_workbook(path)
    book.active[address("dE_dw5", 1)] = formula
    book.active[address("dE_dw7", 1)] = 0.5
    book.save(path)
    report = check_file(path)
    assert report.error is None
    (table,) = report.tables
    accused = {(f.quantity, f.cells) for f in table.findings}
    assert accused == {("dE_dw5", address("dE_dw5", 1)), ("dE_dw7", address("dE_dw7", 1))}
    assert all("\n" not in f.explanation for f in table.findings)


def test_cells_that_refer_to_themselves_are_found(tmp_path):
    path = tmp_path / "circle.xlsx"
    address = write_sheet(path, SheetPlan(rows=2))
    book = openpyxl.load_workbook(path)
    book.active["AZ1"], book.active["AZ2"] = "=AZ2", "=AZ1"
    book.active[address("dE_dw5", 0)] = "=AZ1*2"
    book.save(path)
    (table,) = check_file(path).tables
    assert [f.quantity for f in table.findings] == ["dE_dw5"]
    assert "refers to itself" in table.findings[0].explanation


def test_damaged_bytes_never_break_the_check(tmp_path):
    numbers = random.Random(3)
    original = build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 3)).book.to_bytes()
    for attempt in range(60):
        damaged = bytearray(original)
        for _ in range(numbers.randint(1, 40)):
            damaged[numbers.randrange(len(damaged))] = numbers.randrange(256)
        path = tmp_path / f"{attempt}.xlsx"
        path.write_bytes(bytes(damaged[: numbers.randint(100, len(damaged))] if attempt % 3 == 0 else damaged))
        report = check_file(path)
        assert report.error is None or "\n" not in report.error


@pytest.mark.slow
def test_damaged_xml_never_breaks_the_check(tmp_path):
    numbers = random.Random(5)
    whole = tmp_path / "whole.xlsx"
    build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 3)).save(whole)
    for _ in range(60):

        def damage(parts):
            name = numbers.choice([n for n in parts if n.endswith((".xml", ".rels"))])
            content = bytearray(parts[name])
            for _ in range(numbers.randint(1, 6)):
                place = numbers.randrange(len(content))
                content[place : place + numbers.randint(0, 9)] = numbers.choice(SNIPPETS)
            parts[name] = bytes(content)

        report = check_file(changed(whole, tmp_path / "damaged.xlsx", damage))
        assert report.error is None or "\n" not in report.error


def loop(path):
    while True:
        pass


@pytest.mark.parametrize("hang", [loop, lambda path: time.sleep(60)], ids=["busy", "blocked"])
def test_a_file_that_hangs_is_given_up(hang, sheet, monkeypatch):
    monkeypatch.setattr(workbooks, "TIME_LIMIT", 0.1)
    monkeypatch.setattr(workbooks, "_PATIENCE", 6)
    monkeypatch.setattr(workbooks, "check_file", hang)
    (report,) = check_files([sheet], lambda _: None)
    assert "took longer" in report.error


def test_a_file_that_breaks_the_check_is_named_and_the_others_are_checked(sheet, tmp_path, monkeypatch, capfd):
    real, bad = workbooks.check_file, tmp_path / "bad.xlsx"
    monkeypatch.setattr(workbooks, "check_file", lambda path: real(path) if path == sheet else 1 / 0)
    first, second = check_files([bad, sheet], lambda _: None)
    assert "break down (ZeroDivisionError)" in first.error
    assert second.error is None
    assert capfd.readouterr().err == ""


def test_a_sheet_without_a_table_says_what_was_looked_for_and_what_was_nearest(tmp_path, capsys):
    book = openpyxl.Workbook()
    book.active.append(["t1", "t2", "i1", "hello"])
    book.save(tmp_path / "other.xlsx")
    assert main(["check", str(tmp_path / "other.xlsx")]) == 2
    text = capsys.readouterr().out
    assert "looked for" in text
    assert "nearest was row 1" in text


def test_folders_duplicates_and_csv(tmp_path, capsys):
    folder = tmp_path / "Klasse 7b – 漢字"
    folder.mkdir()
    for name in ("Ana.xlsx", "Ben kopiert.xlsx"):
        write_sheet(folder / name, SheetPlan(rows=3, typed={("h1", 0): 0.0275}))
    write_sheet(folder / "Cem.xlsx", SheetPlan(rows=3, seed=3))
    write_sheet(folder / "Dora.xlsx", SheetPlan(rows=4, typed={("h1", 0): 0.0275}))
    (folder / "~$Ana.xlsx").write_text("Excel's lock")
    assert [path.name for path in collect_files([folder])] == ["Ana.xlsx", "Ben kopiert.xlsx", "Cem.xlsx", "Dora.xlsx"]
    assert main(["check", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "The same formulas and numbers: Ana.xlsx, Ben kopiert.xlsx\n" in text
    assert main(["check", "--strict", "--csv", str(folder)]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    found = [(Path(row["file"]).stem, row["kind"], row["quantity"]) for row in rows]
    typed = [(name, *kind) for name in ("Ana", "Ben kopiert") for kind in (("ok", ""), ("typed", "h1"))]
    assert found == [*typed, ("Cem", "ok", ""), ("Dora", "ok", ""), ("Dora", "typed", "h1")]
    assert {(row["verdict"], row["network"]) for row in rows} == {("right", "2-2-2 sigmoid, no biases")}


@pytest.mark.slow
def test_the_command_prints_the_contracts_json(tmp_path):
    path = tmp_path / "taught.xlsx"
    build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 68, as_taught=True)).save(path)
    process = subprocess.run(
        [sys.executable, "-m", "backprop", "check", "--json", path], capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 1
    assert process.stderr == ""
    table = json.loads(process.stdout)["files"][0]["tables"][0]
    assert (table["sheet"], table["header"], table["rows"]) == ("Class sheet", "A32", 68)
    assert list(table) == [
        *("sheet", "header", "rows", "network", "verdict", "compared", "notes", "same_as", "learning_rate", "findings")
    ]
    assert (table["network"], table["verdict"], table["compared"]) == ("2-2-2 sigmoid, no biases", "wrong", 1828)
    assert (table["notes"], table["same_as"]) == ([], [])
    assert table["learning_rate"] == {"cell": "G31", "value": 1.0}
    finding = table["findings"][0]
    assert finding["kind"] == "formula"
    assert finding["quantity"] == "dE_dw3"
    assert finding["cells"] == "Z33:Z100"
    assert finding["found"].startswith("=((R33-A33)")
    assert finding["expected"].endswith("*L33*(1-L33)*C33")
    assert finding["explanation"] == "a_h1 stands where a_h2 belongs"
    assert finding["max_relative_error"] == pytest.approx(2.6e-4, rel=0.02)
    assert 0 < finding["max_total_error_shift"] < 1e-9


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("∂E/∂w3", "dE_dw3"), ("𝟃E/𝟃w3", "dE_dw3"), ("dEt/dw3", "dE_dw3"), ("E∂w3", "dE_dw3"),
        ("E Total", "E_total"), ("et", "E_total"), ("out_h1", "a_h1"), ("ao2", "a_o2"), (" t1 ", "t1"), ("W8", "w8"),
        ("ðE/ðw3", "dE_dw3"), ("w9", "w9"), ("net h3", "h3"),
        ("E_0.1", None), ("∂a_h1/∂h1", None), ("η = 0.1", None), ("3.0", None), ("h1" * 40, None),
    ],
)  # fmt: skip
def test_headers_are_recognised(text, quantity):
    assert parse_header(text) == quantity
