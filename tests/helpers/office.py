"""LibreOffice as the judge of our workbooks: it computes every formula anew, without having seen our values."""

import re
import subprocess
import zipfile

import openpyxl
from agreement import agrees
from programs import require


def strip_cached_values(source, target, result=b""):
    """Copy a workbook without the results beside its formulas, or with another one, such as b"<v>0</v>", beside all."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb' t="(?:str|e)"(>\s*<f>)', rb"\1", content)
                content = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1" + result, content)
            new.writestr(name, content)


def recalculate(workbook, folder):
    """Return {sheet: {cell: value}} as LibreOffice computes it from the formulas alone."""
    stripped, results = folder / "stripped.xlsx", folder / "results"
    strip_cached_values(workbook, stripped)
    convert(stripped, "xlsx", results)
    return read_values(results / stripped.name)


def convert(document, kind, folder):
    """Convert a document with a LibreOffice profile of its own."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [require("soffice"), profile, "--headless", "--convert-to", kind, "--outdir", folder, document]
    subprocess.run(command, check=True, capture_output=True, timeout=180)


def read_values(workbook):
    """Return {sheet: {cell: value}} of the values stored in a workbook."""
    book = openpyxl.load_workbook(workbook, data_only=True)
    return {
        sheet.title: {
            cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
        }
        for sheet in book
    }


def disagreements(stored, computed):
    """List the cells in which two readings of a workbook differ."""
    wrong = []
    for title in stored.keys() | computed.keys():
        ours, theirs = stored.get(title, {}), computed.get(title, {})
        for cell in ours.keys() | theirs.keys():
            a, b = ours.get(cell), theirs.get(cell)
            numbers = isinstance(a, int | float) and isinstance(b, int | float)
            if not (agrees(a, b) if numbers else a == b):
                wrong.append((title, cell, a, b))
    return wrong
