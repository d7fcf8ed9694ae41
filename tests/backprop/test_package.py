"""The parts of the workbook's file: named as Excel names them, and the same whatever has serialised them."""

import os
import posixpath
import re
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import pytest
from programs import require_package

from backprop.networks.presets import PRESETS
from backprop.sheet import package
from backprop.sheet.workbook import WorkbookOptions, build_workbook


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "backprop.xlsx"
    build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 3)).save(path)
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_parts_are_named_as_excel_names_them(archive):
    names = set(archive.namelist())
    assert {"xl/comments1.xml", "xl/drawings/vmlDrawing1.vml", "xl/drawings/drawing1.xml"} <= names
    for name in names:
        if name.endswith(".rels"):
            for relation in ElementTree.fromstring(archive.read(name)):
                target, folder = relation.get("Target"), posixpath.dirname(posixpath.dirname(name))
                assert not target.startswith("/")
                assert relation.get("TargetMode") or posixpath.normpath(posixpath.join(folder, target)) in names
    types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
    assert {part.get("PartName").removeprefix("/") for part in types if part.get("PartName")} <= names


def test_prefixes_runs_and_orders_are_those_of_excel(archive):
    assert b"<xdr:wsDr " in archive.read("xl/drawings/drawing1.xml")
    assert b"<c:chartSpace " in archive.read("xl/charts/chart1.xml")
    for part in (b"<worksheet xmlns=", b"<f>", b"<v>"):
        assert part in archive.read("xl/worksheets/sheet1.xml")
    notes = ElementTree.fromstring(archive.read("xl/comments1.xml"))
    assert [text[0].tag for text in notes.iter(f"{{{package.MAIN}}}text")] == [f"{{{package.MAIN}}}r"] * 2
    fonts = re.findall(r"<font>(.*?)</font>", archive.read("xl/styles.xml").decode())
    orders = [re.findall(r"<(\w+)", font) for font in fonts]
    assert any("b" in order for order in orders)
    for order in orders:
        assert order == [part for part in ("b", "i", "u", "sz", "color", "name", "family", "scheme") if part in order]


def test_no_formula_has_a_number_in_scientific_notation(archive):
    """HyperFormula does not read one."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/sheet"):
            assert not re.search(rb"<f>[^<]*\d[Ee][-+]?\d", archive.read(name)), name


@pytest.mark.slow
def test_every_serialiser_gives_the_same_bytes(tmp_path):
    """openpyxl leaves serialising to lxml where it is installed: other spaces, prefixes and places of declarations."""
    require_package("lxml")
    files = []
    for chosen in ("True", "False"):
        files.append(tmp_path / f"{chosen}.xlsx")
        command = [sys.executable, "-m", "backprop", "workbook", "--iterations", "3", "--output", files[-1]]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OPENPYXL_LXML": chosen})
    assert files[0].read_bytes() == files[1].read_bytes()
