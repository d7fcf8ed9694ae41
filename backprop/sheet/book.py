"""A workbook whose formulas carry the values they compute, saved as the same bytes every time.

openpyxl writes formulas without results, so whatever does not recalculate (previews, phones, pandas, Excel's Protected
View) shows blanks. The values are put into the XML after openpyxl has written it. The many rows of a table, each a copy
of the one above, never become openpyxl's cells: they are written straight into the file.
"""

import gc
import io
import math
import sys
import traceback
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.chart._chart import ChartBase
from openpyxl.utils import absolute_coordinate, get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet
from tqdm import tqdm

from backprop.errors import OutputError
from backprop.sheet import package, style
from backprop.simulate import Floats

try:  # what openpyxl writes with, where it is installed
    from lxml.etree import SerialisationError
except ImportError:
    SerialisationError = OSError

NOT_A_NUMBER = "#NUM!"
_FIXED_DATE = datetime(2000, 1, 1)
_LONG_TABLE = 2000  # rows; the whole workbook takes some seconds then


@dataclass(frozen=True)
class Column:
    """What the rows of a table hold in one column."""

    style: str
    formula: str | None
    """With {row} for a row's number and {other} for that of another row; None where numbers are typed."""


@dataclass(frozen=True)
class _Rows:
    first: int
    template: str
    values: Floats
    other: int
    is_typed: tuple[bool, ...]
    """Which columns hold numbers and no formulas."""

    def write(self, *, with_values: bool) -> Iterator[bytes]:
        """Yield the rows as a sheet's XML has them."""
        for row, numbers in enumerate(self.values.tolist(), start=self.first):
            shown = zip(numbers, self.is_typed, strict=True)
            parts = [part for number, typed in shown for part in _show(number if typed or with_values else None)]
            yield self.template.format(*parts, row=row, other=row + self.other).encode()


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
        self._rows: dict[str, _Rows] = {}
        self._descriptions: dict[str, list[str]] = defaultdict(list)

    @property
    def sheets(self) -> Sequence[Worksheet]:
        """The sheets in their order."""
        return self._workbook.worksheets

    def add_sheet(self, title: str, place: int | None = None) -> Worksheet:
        """Add an empty sheet behind the others, or at a place counted from 0."""
        sheet: Worksheet = self._workbook.create_sheet(title, place)
        return sheet

    def describe(self, title: str, subject: str, author: str) -> None:
        """Set what file managers show of the file; what XML cannot hold becomes a space."""
        properties = self._workbook.properties
        printable = "".join(character if character.isprintable() else " " for character in author)
        properties.title, properties.subject, properties.creator = title, subject, printable

    def name_cell(self, name: str, sheet: str, cell: str) -> None:
        """Define a name by which formulas on every sheet can call a cell."""
        self._workbook.defined_names[name] = DefinedName(name, attr_text=f"'{sheet}'!{absolute_coordinate(cell)}")

    def protect(self) -> None:
        """Lock every cell that is not the reader's to change, without a password."""
        for sheet in self._workbook.worksheets:
            sheet.protection.enable()

    def set_formula(self, cell: Cell | MergedCell, formula: str, value: float | str) -> None:
        """Write a formula and the value it has now; NaN stands for #NUM!."""
        cell.value = formula
        self._values[cell.parent.title][cell.coordinate] = value

    def value(self, sheet: str, cell: str) -> float | str:
        """Return the value that a formula was given."""
        return self._values[sheet][cell]

    def fill_rows(
        self, sheet: Worksheet, first: int, columns: Sequence[Column], values: Floats, other: int = -1
    ) -> None:
        """Fill the last rows of a sheet, from column A on; `values` has a row for each and a number for each column.

        `other` is how far below a row the other one is that its formulas read; by default, that is the one above.
        """
        cells = []
        for number, column in enumerate(columns):
            model = WriteOnlyCell(sheet)
            model.style = column.style
            formula = "" if column.formula is None else f"<f>{escape(column.formula.removeprefix('='))}</f>"
            cells.append(
                f'<c r="{get_column_letter(number + 1)}{{row}}" s="{model.style_id}"'
                f"{{{2 * number}}}>{formula}{{{2 * number + 1}}}</c>"
            )
        is_typed = tuple(column.formula is None for column in columns)
        self._rows[sheet.title] = _Rows(first, f'<row r="{{row}}">{"".join(cells)}</row>', values, other, is_typed)

    def add_chart(self, sheet: Worksheet, chart: ChartBase, description: str) -> None:
        """Add a chart and the text that stands for it where it is not seen."""
        sheet.add_chart(chart)
        self._descriptions[sheet.title].append(description)

    def set_shapes(self, sheet: Worksheet, anchors: str) -> None:
        """Insert drawn anchors (DrawingML text) over a sheet, which must have a chart too."""
        self._shapes[sheet.title] = anchors

    def to_bytes(self, *, with_values: bool = True) -> bytes:
        """Return the .xlsx file; the same sheets give the same bytes.

        Without values, it holds formulas alone for a spreadsheet program to compute. Raises OutputError where there is
        no room for temporary files, in which openpyxl collects sheets.
        """
        with zipfile.ZipFile(io.BytesIO(self._save())) as source:
            trees = package.parse({name: source.read(name) for name in source.namelist()})
        self._complete(trees, with_values=with_values)
        result, rows = io.BytesIO(), {self._part(title): rows for title, rows in self._rows.items()}
        is_long = any(len(part.values) >= _LONG_TABLE for part in rows.values())
        with zipfile.ZipFile(result, "w") as target:
            for name, tree in tqdm(trees.items(), disable=None if is_long else True, unit=" parts", leave=False):
                entry = zipfile.ZipInfo(name, _FIXED_DATE.timetuple()[:6])
                entry.compress_type = zipfile.ZIP_DEFLATED
                content = package.serialise(tree)
                with target.open(entry, "w") as stream:
                    if name in rows:
                        head, end, content = content.partition(b"</sheetData>")
                        stream.write(head)
                        stream.writelines(rows[name].write(with_values=with_values))
                        content = end + content
                    stream.write(content)
        return result.getvalue()

    def _save(self) -> bytes:
        plain = io.BytesIO()
        try:
            self._workbook.save(plain)
        except (OSError, SerialisationError) as cause:
            _close_quietly(cause)
            raise OutputError("a temporary file", cause, "free some space or set TMPDIR") from cause
        return plain.getvalue()

    def _part(self, title: str) -> str:
        return f"xl/worksheets/sheet{self._workbook.sheetnames.index(title) + 1}.xml"

    def _complete(self, trees: Mapping[str, Element], *, with_values: bool) -> None:
        """Insert values, shapes, descriptions and the fixed date into the parts that openpyxl wrote."""
        for title in self._workbook.sheetnames:
            sheet = trees[self._part(title)]
            if title in self._rows:
                _extend(sheet, self._rows[title])
            fill_values(sheet, self._values[title], with_values=with_values)
            if title in self._shapes or title in self._descriptions:
                drawing = _find_drawing(trees, self._part(title))
                package.describe_frames(drawing, self._descriptions[title])
                drawing.extend(ElementTree.fromstring(f"<shapes>{self._shapes.get(title, '')}</shapes>"))
        for modified in trees["docProps/core.xml"].iter("{http://purl.org/dc/terms/}modified"):
            modified.text = _FIXED_DATE.strftime("%Y-%m-%dT%H:%M:%SZ")


def _close_quietly(error: Exception) -> None:
    """Close what a failed save left open; openpyxl's generators fail once more there, and Python would print it."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        traceback.clear_frames(error.__traceback__)
        gc.collect()
    finally:
        sys.unraisablehook = hook


def _extend(sheet: Element, rows: _Rows) -> None:
    """Count rows that are yet to come among the sheet's used cells."""
    for used in sheet.iter(f"{{{package.MAIN}}}dimension"):
        corner, _, last = used.get("ref", "").partition(":")
        used.set("ref", f"{corner}:{last.rstrip('0123456789')}{rows.first + len(rows.values) - 1}")


def _find_drawing(trees: Mapping[str, Element], sheet: str) -> Element:
    folder, _, name = sheet.rpartition("/")
    relations = trees.get(f"{folder}/_rels/{name}.rels", ())
    names = [relation.get("Target", "").rpartition("/")[2] for relation in relations]
    found = [part for part in names if part.startswith("drawing")]
    if not found:
        raise ValueError(f"{sheet} has no drawing to put shapes into")
    return trees[f"xl/drawings/{found[0]}"]


def fill_values(sheet: Element, values: Mapping[str, float | str], *, with_values: bool = True) -> None:
    """Fill the empty results that openpyxl leaves beside formulas; every formula must have its value."""
    count = 0
    for cell in sheet.iter(f"{{{package.MAIN}}}c"):
        if cell.find(f"{{{package.MAIN}}}f") is None:
            continue
        count += 1
        value, empty = values[cell.get("r", "")], cell.find(f"{{{package.MAIN}}}v")
        if empty is not None:
            cell.remove(empty)
        if with_values:
            kind, text = ("str", value) if isinstance(value, str) else (None, repr(float(value)))
            if kind is None and math.isnan(float(value)):
                kind, text = "e", NOT_A_NUMBER
            SubElement(cell, f"{{{package.MAIN}}}v").text = text
            cell.attrib |= {} if kind is None else {"t": kind}
    if count != len(values):
        raise ValueError(f"{len(values)} values for {count} formulas: openpyxl writes formulas in another way")


def _show(number: float | None) -> tuple[str, str]:
    """Return the type and the value of a cell as they are written."""
    if number is None:
        return "", ""
    return (' t="e"', f"<v>{NOT_A_NUMBER}</v>") if math.isnan(number) else ("", f"<v>{number!r}</v>")
