"""A workbook whose formulas carry the values they compute, saved as the same bytes every time.

openpyxl writes formulas without results, so whatever does not recalculate (previews, phones, pandas, Excel's Protected
View) shows blanks. The values are put into the XML after openpyxl has written it.
"""

import gc
import io
import math
import re
import sys
import traceback
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from backprop.errors import OutputError
from backprop.sheet import style

NOT_A_NUMBER = "#NUM!"
_FORMULA_CELL = re.compile(
    rb'<c (?P<attributes>r="(?P<cell>[A-Z]+[0-9]+)"(?: s="[0-9]+")?)>(?P<formula><f>[^<]*</f>)<v ?(?:/>|></v>)</c>'
)
_FIXED_DATE = datetime(2000, 1, 1)


class Book:
    """Sheets, formulas with their values, and drawn shapes, to be serialised as one file."""

    def __init__(self) -> None:
        self._workbook = Workbook()
        self._workbook.remove(self._workbook.worksheets[0])
        self._workbook.properties.created = _FIXED_DATE
        self._workbook.properties.creator = ""
        for named in style.named_styles():
            self._workbook.add_named_style(named)
        self._values: dict[str, dict[str, float | str]] = defaultdict(dict)
        self._shapes: dict[str, str] = {}

    def add_sheet(self, title: str) -> Worksheet:
        """Add an empty sheet behind the others."""
        sheet: Worksheet = self._workbook.create_sheet(title)
        return sheet

    def set_formula(self, cell: Cell | MergedCell, formula: str, value: float | str) -> None:
        """Write a formula and the value it has now; NaN stands for #NUM!."""
        cell.value = formula
        self._values[cell.parent.title][cell.coordinate] = value

    def set_shapes(self, sheet: Worksheet, anchor: str) -> None:
        """Insert a drawn anchor (DrawingML text) over a sheet, which must have a chart too."""
        self._shapes[sheet.title] = anchor

    def without_values(self) -> bytes:
        """Return the .xlsx file with formulas alone, for a spreadsheet program to compute.

        Raises OutputError where there is no room for temporary files, in which openpyxl collects sheets.
        """
        plain = io.BytesIO()
        try:
            self._workbook.save(plain)
        except OSError as cause:
            _close_quietly(cause)
            raise OutputError("a temporary file", cause, "free some space or set TMPDIR") from cause
        return plain.getvalue()

    def to_bytes(self) -> bytes:
        """Return the .xlsx file; the same sheets give the same bytes."""
        result = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.without_values())) as source, zipfile.ZipFile(result, "w") as target:
            parts = {name: source.read(name) for name in source.namelist()}
            self._complete(parts)
            for name, content in parts.items():
                entry = zipfile.ZipInfo(name, _FIXED_DATE.timetuple()[:6])
                target.writestr(entry, content, zipfile.ZIP_DEFLATED)
        return result.getvalue()

    def _complete(self, parts: dict[str, bytes]) -> None:
        """Insert values, shapes and the fixed date into the parts that openpyxl wrote."""
        for number, title in enumerate(self._workbook.sheetnames, start=1):
            name = f"xl/worksheets/sheet{number}.xml"
            parts[name] = fill_values(parts[name], self._values[title])
            if title in self._shapes:
                drawing = _drawing_of(parts, number)
                parts[drawing] = parts[drawing].replace(b"</wsDr>", self._shapes[title].encode() + b"</wsDr>")
        date = _FIXED_DATE.strftime(">%Y-%m-%dT%H:%M:%SZ</dcterms:modified>").encode()
        parts["docProps/core.xml"] = re.sub(rb">[^<]*</dcterms:modified>", date, parts["docProps/core.xml"])


def _close_quietly(error: OSError) -> None:
    """Close what a failed save left open; openpyxl's generators fail once more there, and Python would print it."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        traceback.clear_frames(error.__traceback__)
        gc.collect()
    finally:
        sys.unraisablehook = hook


def _drawing_of(parts: dict[str, bytes], sheet_number: int) -> str:
    relations = parts[f"xl/worksheets/_rels/sheet{sheet_number}.xml.rels"].decode()
    found = re.search(r"drawing[0-9]+\.xml", relations)
    if found is None:
        raise ValueError(f"sheet {sheet_number} has no drawing to put shapes into")
    return str(PurePosixPath("xl/drawings", found.group()))


def fill_values(sheet_xml: bytes, values: Mapping[str, float | str]) -> bytes:
    """Fill the empty results that openpyxl leaves beside formulas; every formula must have its value."""
    content, count = _FORMULA_CELL.subn(lambda match: _fill_cell(match, values[match["cell"].decode()]), sheet_xml)
    if count != len(values) or b"<v />" in content or b"<v></v>" in content or b"<v/>" in content:
        raise ValueError(f"{len(values)} values for {count} formulas: openpyxl writes formulas in another way")
    return content


def _fill_cell(match: re.Match[bytes], value: float | str) -> bytes:
    if isinstance(value, str):
        kind, text = ' t="str"', escape(value)
    else:
        kind, text = (' t="e"', NOT_A_NUMBER) if math.isnan(value) else ("", repr(float(value)))
    return b"<c %b%b>%b<v>%b</v></c>" % (match["attributes"], kind.encode(), match["formula"], text.encode())
