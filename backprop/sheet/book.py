"""A workbook whose formulas carry the values they compute, saved as the same bytes every time.

openpyxl writes formulas without results, so whatever does not recalculate (previews, phones, pandas, Excel's Protected
View) shows blanks. The values are put into the XML after openpyxl has written it.
"""

import io
import math
import re
import zipfile
from collections import defaultdict
from datetime import datetime
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from backprop.files import write_atomically

NOT_A_NUMBER = "#NUM!"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_FIXED_DATE = datetime(2000, 1, 1)


class Book:
    """Collect sheets, formulas with their values, and drawn shapes; then save them."""

    def __init__(self) -> None:
        self._workbook = Workbook()
        self._workbook.remove(self._workbook.worksheets[0])
        self._workbook.properties.created = _FIXED_DATE
        self._workbook.properties.creator = ""
        self._values: dict[str, dict[str, float | str]] = defaultdict(dict)
        self._shapes: dict[str, str] = {}

    def add_sheet(self, title: str) -> Worksheet:
        """Add an empty sheet behind the others."""
        sheet: Worksheet = self._workbook.create_sheet(title)
        return sheet

    def set_formula(self, sheet: Worksheet, cell: str, formula: str, value: float | str) -> None:
        """Write a formula and the value it has now; NaN stands for #NUM!."""
        sheet[cell] = formula
        self._values[sheet.title][cell] = value

    def set_shapes(self, sheet: Worksheet, anchor: str) -> None:
        """Put a drawn anchor (DrawingML text) over a sheet, which must have a chart too."""
        self._shapes[sheet.title] = anchor

    def save(self, path: Path) -> None:
        """Write the file beside its place, then rename. Raises BackpropError where that can't be done."""
        write_atomically(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the .xlsx file; the same sheets give the same bytes."""
        plain, result = io.BytesIO(), io.BytesIO()
        self._workbook.save(plain)
        with zipfile.ZipFile(plain) as source, zipfile.ZipFile(result, "w") as target:
            parts = {name: source.read(name) for name in source.namelist()}
            self._complete(parts)
            for name, content in parts.items():
                entry = zipfile.ZipInfo(name, _FIXED_DATE.timetuple()[:6])
                target.writestr(entry, content, zipfile.ZIP_DEFLATED)
        return result.getvalue()

    def _complete(self, parts: dict[str, bytes]) -> None:
        """Put values, shapes and the fixed date into the parts that openpyxl wrote."""
        for number, title in enumerate(self._workbook.sheetnames, start=1):
            name = f"xl/worksheets/sheet{number}.xml"
            parts[name] = with_values(parts[name], self._values[title])
            if title in self._shapes:
                drawing = _drawing_of(parts, number)
                parts[drawing] = parts[drawing].replace(b"</wsDr>", self._shapes[title].encode() + b"</wsDr>")
        date = _FIXED_DATE.strftime(">%Y-%m-%dT%H:%M:%SZ</dcterms:modified>").encode()
        parts["docProps/core.xml"] = re.sub(rb">[^<]*</dcterms:modified>", date, parts["docProps/core.xml"])


def _drawing_of(parts: dict[str, bytes], sheet_number: int) -> str:
    relations = parts[f"xl/worksheets/_rels/sheet{sheet_number}.xml.rels"].decode()
    found = re.search(r"drawing[0-9]+\.xml", relations)
    if found is None:
        raise ValueError(f"sheet {sheet_number} has no drawing to put shapes into")
    return str(PurePosixPath("xl/drawings", found.group()))


def with_values(sheet_xml: bytes, values: dict[str, float | str]) -> bytes:
    """Fill the empty results that openpyxl leaves beside formulas; every formula must have its value."""
    ElementTree.register_namespace("", _MAIN)
    root = ElementTree.fromstring(sheet_xml)
    for cell in root.iter(f"{{{_MAIN}}}c"):
        if cell.find(f"{{{_MAIN}}}f") is None:
            continue
        result = cell.find(f"{{{_MAIN}}}v")
        if result is None:
            result = ElementTree.SubElement(cell, f"{{{_MAIN}}}v")
        value = values[cell.attrib["r"]]
        if isinstance(value, str):
            cell.attrib["t"], result.text = "str", value
        elif math.isnan(value):
            cell.attrib["t"], result.text = "e", NOT_A_NUMBER
        else:
            cell.attrib.pop("t", None)
            result.text = repr(float(value))
    filled: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return filled
