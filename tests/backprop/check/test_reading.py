"""Workbooks are read as openpyxl and LibreOffice read them, and also where those give up."""

import os
import re
import shutil
import zipfile

import openpyxl
import pytest
from checks import changed
from office import convert
from openpyxl.chart import LineChart, Reference
from openpyxl.formula.translate import Translator
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table
from sheets import SheetPlan, write_sheet

from backprop.check import conversion
from backprop.check.cells import Address, Cell, ChartSeries, ExcelTable, Rectangle
from backprop.check.reading import read_workbook
from backprop.check.workbooks import check_file, collect_files
from backprop.errors import BackpropError

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def path(tmp_path):
    """A workbook with everything that a check reads."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in ([1, 0.5, True], ["a\nb", "0,15", None], ["=A1+B1", "=C1", '="x"&"y"']):
        sheet.append(row)
    sheet["E1"] = ArrayFormula("E1:F2", "=A1:B1*2")
    sheet.append(["t1", "w1"])
    sheet.append([1, 2])
    sheet.add_table(Table(displayName="Table1", ref="A4:B5"))
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=3))
    sheet.add_chart(chart, "H1")
    hidden = book.create_sheet("hidden")
    hidden.sheet_state = "hidden"
    hidden["B7"] = "=Data!A1"
    book.defined_names["rate"] = DefinedName("rate", attr_text="Data!$A$1")
    hidden.defined_names["rate"] = DefinedName("rate", attr_text="Data!$B$1")
    book.save(tmp_path / "all.xlsx")
    return tmp_path / "all.xlsx"


def agree_with_openpyxl(workbook, path):
    formulas, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    assert list(workbook.sheets) == formulas.sheetnames
    count = 0
    for sheet in formulas:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            address = Address(sheet.title, cell.row, cell.column)
            ours = workbook.cell(address)
            content = getattr(cell.value, "text", cell.value)
            is_formula = isinstance(content, str) and content.startswith("=")
            if ours.array is None:
                assert workbook.formula(address) == (content if is_formula else None), address
            assert ours.value == values[sheet.title][cell.coordinate].value, address
            count += 1
    return count


def test_cells_names_tables_and_charts_are_read(path):
    workbook = read_workbook(path)
    assert agree_with_openpyxl(workbook, path) == 14
    assert workbook.names == {(None, "RATE"): "Data!$A$1", ("hidden", "RATE"): "Data!$B$1"}
    assert workbook.tables == (ExcelTable("Table1", "Data", Rectangle(4, 1, 5, 2), ("t1", "w1"), 1, 0),)
    assert workbook.series == (ChartSeries("Data", "'Data'!$A$1:$A$3"),)
    assert workbook.sheets["Data"].texts == {(2, 1): "a\nb", (2, 2): "0,15", (4, 1): "t1", (4, 2): "w1"}
    array = workbook.cell(Address("Data", 1, 5))
    assert array.array == Rectangle(1, 5, 2, 6)
    others = [workbook.cell(Address("Data", row, column)) for row, column in ((1, 6), (2, 5), (2, 6))]
    assert others == [Cell(None, array.formula, array.array)] * 3
    assert workbook.formula(Address("Data", 2, 6)) == "=A1:B1*2"


def test_libreoffices_files_are_read_and_others_through_it(path, tmp_path):
    for kind in ("xlsx", "ods", "fods", "xls"):
        convert(path, kind, tmp_path / kind)
        workbook = read_workbook(tmp_path / kind / f"all.{kind}")
        assert workbook.formula(Address("Data", 3, 1)) == "=A1+B1"
        assert workbook.cell(Address("Data", 3, 1)).value == 1.5
        assert workbook.formula(Address("hidden", 7, 2)).endswith("Data!A1")
    agree_with_openpyxl(read_workbook(tmp_path / "xlsx" / "all.xlsx"), tmp_path / "xlsx" / "all.xlsx")


def test_without_libreoffice_its_files_say_what_to_do(monkeypatch, path, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for name in ("sheet.ods", "sheet.XLS", "sheet.xlsb"):
        copy = tmp_path / name
        copy.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        assert "save it as .xlsx" in check_file(copy).error
        assert copy in collect_files([tmp_path])


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for LibreOffice")
def test_a_libreoffice_that_hangs_or_fails_is_given_up(monkeypatch, tmp_path):
    sheet = tmp_path / "sheet.ods"
    sheet.write_bytes(b"PK")
    for script, words in (("exec sleep 60", "took longer than"), ("exit 1", "can't read it")):
        program = tmp_path / "soffice"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(conversion, "TIME_LIMIT", 0.3)
        monkeypatch.setattr(shutil, "which", lambda name, found=str(program): found)
        with pytest.raises(BackpropError, match=words):
            read_workbook(sheet)


def test_shared_formulas_move_as_in_openpyxl(tmp_path):
    def share(parts):
        formulas = dict.fromkeys(range(6, 9), '<f t="shared" si="0"/>')
        formulas[5] = '<f t="shared" si="0" ref="C5:C8">A4*$B$1+B5</f>'
        rows = (f'<row r="{r}"><c r="C{r}">{formulas[r]}<v>1</v></c></row>' for r in sorted(formulas))
        data = f"<sheetData>{''.join(rows)}</sheetData>".encode()
        parts[SHEET] = re.sub(rb"<sheetData ?/>|<sheetData></sheetData>", data, parts[SHEET])

    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    workbook = read_workbook(changed(tmp_path / "empty.xlsx", tmp_path / "shared.xlsx", share))
    for row in range(5, 9):
        moved = Translator("=A4*$B$1+B5", "C5").translate_formula(f"C{row}")
        assert workbook.formula(Address("Sheet", row, 3)) == moved


STRICT = {
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    b"http://schemas.openxmlformats.org/drawingml/2006": b"http://purl.oclc.org/ooxml/drawingml",
}


def strict(parts):
    for name, content in parts.items():
        for old, new in STRICT.items():
            parts[name] = content = content.replace(old, new)


def broken_styles(parts):
    parts["xl/styles.xml"] = b"<styleSheet><cellXfs/></styleShee"
    parts["xl/theme/theme1.xml"] = b"nothing"
    parts[SHEET] = parts[SHEET].replace(b'<c r="', b'<c s="99999" r="')


def broken_chart(parts):
    parts["xl/charts/chart1.xml"] = b"<chartSpace><chart>"


def without_plot(parts):
    parts["xl/charts/chart1.xml"] = re.sub(rb"<plotArea>.*</plotArea>", b"<plotArea/>", parts["xl/charts/chart1.xml"])


def prefixed(parts):
    content = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", parts[SHEET]).replace(b"xmlns=", b"xmlns:x=")
    parts[SHEET] = content


def without_places(parts):
    """Cells count on where they don't say where they are; that is allowed, and some programs write it so."""
    parts[SHEET] = re.sub(rb'(<c) r="(?:B|C)\d+"', rb"\1", parts[SHEET])


@pytest.mark.parametrize(
    "change", [strict, broken_styles, broken_chart, without_plot, prefixed, without_places], ids=lambda f: f.__name__
)
def test_what_other_readers_trip_over_hides_no_cell(change, path, tmp_path):
    before = read_workbook(path)
    after = read_workbook(changed(path, tmp_path / "changed.xlsx", change))
    assert list(after.addresses()) == list(before.addresses())
    for address in before.addresses():
        assert after.formula(address) == before.formula(address)
        assert after.cell(address).value == before.cell(address).value
    assert after.names == before.names
    assert after.tables == before.tables
    assert after.series == (() if change in (broken_chart, without_plot) else before.series)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "zero.xlsx").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "folder.xlsx").mkdir()
    assert [p.name for p in collect_files([tmp_path])] == ["pipe.xlsx", "zero.xlsx"]
    for path in collect_files([tmp_path]):
        assert check_file(path).error == "is no regular file"


def test_a_sheet_with_every_suffix_of_a_package_is_checked(tmp_path):
    write_sheet(tmp_path / "sheet.xlsx", SheetPlan(rows=3))
    for suffix in (".xlsm", ".XLTX", ".xltm"):
        copy = shutil.copy(tmp_path / "sheet.xlsx", tmp_path / f"sheet{suffix}")
        assert copy in collect_files([tmp_path])
        assert check_file(copy).verdict == "right"


def test_parts_may_be_named_in_other_ways(path, tmp_path):
    def rename(parts):
        parts["xl/WORKBOOK.xml"] = parts.pop("xl/workbook.xml")
        links = "xl/_rels/workbook.xml.rels"
        parts[links] = parts[links].replace(b"/xl/worksheets", b"worksheets").replace(b"sheet1.xml", b"SHEET1.xml")

    workbook = read_workbook(changed(path, tmp_path / "renamed.xlsx", rename))
    assert workbook.formula(Address("Data", 3, 1)) == "=A1+B1"
    with zipfile.ZipFile(tmp_path / "renamed.xlsx") as archive:
        assert "xl/workbook.xml" not in archive.namelist()
