"""A foreign workbook read from its file: cells, names, tables, charts, and nothing else that could be broken."""

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.utils.cell import column_index_from_string, range_boundaries

from backprop.check.cells import Cell, ChartSeries, Content, ExcelTable, ForeignWorkbook, Rectangle, Sheet
from backprop.check.conversion import convert, is_convertible
from backprop.check.package import OLE, Package, local_name, open_package, read_bytes
from backprop.check.patterns import Pattern, Patterns
from backprop.errors import BackpropError

_DIGITS = "0123456789"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAX_ARRAY = 1_000_000


def read_workbook(path: Path) -> ForeignWorkbook:
    """Read a workbook from its file. Raises BackpropError, in one line, for whatever is no harmless one."""
    return parse_workbook(read_package(path))


def read_package(path: Path) -> bytes:
    """Return a workbook's file as .xlsx. Raises BackpropError.

    What is no .xlsx file but a spreadsheet all the same is read through LibreOffice where that is installed.
    """
    content = read_bytes(path)
    if content.startswith(OLE) and _ENCRYPTED in content:
        raise BackpropError("protected by a password: save it as .xlsx without one")
    return convert(path, content) if is_convertible(path) or content.startswith(OLE) else content


def parse_workbook(content: bytes) -> ForeignWorkbook:
    """Read a workbook from the bytes of an .xlsx file. Raises BackpropError."""
    try:
        return _Reader(open_package(content)).read()
    except (BackpropError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib, struct and the parser have a dozen unrelated ones for a damaged file
        raise BackpropError(f"the file is damaged ({type(error).__name__}): save it anew as .xlsx") from error


class _Reader:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.find_workbook()
        self._links = dict(package.links(self._main))
        self._texts = self._read_shared_texts()

    def read(self) -> ForeignWorkbook:
        """Read all worksheets with what belongs to them."""
        book = self._package.parse(self._main)
        titles = [element.get("name", "") for element in book.iter() if local_name(element) == "sheet"]
        sheets: dict[str, Sheet] = {}
        tables: list[ExcelTable] = []
        series: list[ChartSeries] = []
        for title, link in self._package.find_sheets():
            if link.kind == "worksheet":
                sheets[title] = _SheetReader(title, self._texts).read(self._package.read(link.part))
                tables += self._read_tables(title, link.part)
            series += self._read_series(title, link.part)
        has_macros = any(link.kind == "vbaProject" for link in self._links.values())
        return ForeignWorkbook(sheets, _read_names(book, titles), tuple(tables), tuple(series), has_macros)

    def _read_shared_texts(self) -> list[str]:
        part = next((link.part for link in self._links.values() if link.kind == "sharedStrings"), "")
        if not self._package.has(part):
            return []
        return [_join_runs(element) for element in self._package.parse(part)]

    def _read_tables(self, sheet: str, part: str) -> Iterator[ExcelTable]:
        for _, link in self._package.links(part):
            if link.kind == "table" and self._package.has(link.part):
                root = self._package.parse(link.part)
                columns = [e.get("name", "") for e in root.iter() if local_name(e) == "tableColumn"]
                name = root.get("displayName") or root.get("name") or ""
                headers, totals = int(root.get("headerRowCount", 1)), int(root.get("totalsRowCount", 0))
                yield ExcelTable(name, sheet, _read_range(root.get("ref", "")), tuple(columns), headers, totals)

    def _read_series(self, sheet: str, part: str) -> Iterator[ChartSeries]:
        """Read the charts that a sheet shows; a broken one draws nothing, and takes nothing else with it."""
        for drawing in self._follow(part, "drawing"):
            for chart in self._follow(drawing, "chart"):
                try:
                    root = self._package.parse(chart)
                except ElementTree.ParseError:
                    continue
                for values in (e for e in root.iter() if local_name(e) in ("val", "yVal")):
                    references = (e.text for e in values.iter() if local_name(e) == "f" and e.text)
                    yield from (ChartSeries(sheet, reference.strip()) for reference in references)

    def _follow(self, part: str, kind: str) -> list[str]:
        try:
            links = [link.part for _, link in self._package.links(part) if link.kind == kind]
        except ElementTree.ParseError:
            return []
        return [target for target in links if self._package.has(target)]


def _read_names(book: ElementTree.Element, titles: list[str]) -> Mapping[tuple[str | None, str], str]:
    names: dict[tuple[str | None, str], str] = {}
    for element in (e for e in book.iter() if local_name(e) == "definedName"):
        place = element.get("localSheetId")
        scope = None if place is None else titles[int(place)] if int(place) < len(titles) else ""
        names[scope, element.get("name", "").upper()] = (element.text or "").strip().removeprefix("=")
    return names


def _read_range(text: str) -> Rectangle:
    left, top, right, bottom = range_boundaries(text)
    return Rectangle(top or 1, left or 1, bottom or 1, right or 1)


def _join_runs(element: ElementTree.Element) -> str:
    """Join the text of an element's runs, without the phonetic ones."""
    if local_name(element) == "rPh":
        return ""
    if local_name(element) == "t":
        return element.text or ""
    return "".join(_join_runs(child) for child in element)


@dataclass
class _SheetReader:
    title: str
    shared_texts: list[str]
    _patterns: Patterns = field(init=False)
    _shared: dict[str, Pattern] = field(init=False, default_factory=dict)
    _arrays: list[tuple[Pattern, Rectangle]] = field(init=False, default_factory=list)
    _columns: dict[int, dict[int, Cell]] = field(init=False, default_factory=dict)
    _texts: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    _letters: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._patterns = Patterns(self.title)

    def read(self, content: bytes) -> Sheet:
        """Read a worksheet row by row, letting go of each."""
        number = 0
        for _, element in ElementTree.iterparse(io.BytesIO(content), events=("end",)):
            if element.tag.endswith("row") and local_name(element) == "row":
                number = int(element.get("r") or number + 1)
                self._read_row(element, number, element.tag.removesuffix("row"))
                element.clear()
        for pattern, cells in self._arrays:
            self._spread(pattern, cells)
        columns = {column: self._columns[column] for column in sorted(self._columns)}
        return Sheet(self.title, columns, self._texts)

    def _read_row(self, element: ElementTree.Element, row: int, namespace: str) -> None:
        column, names = 0, (f"{namespace}v", f"{namespace}f")
        for child in element:
            place = child.get("r")
            column = column + 1 if place is None else self._find_column(place.rstrip(_DIGITS))
            if len(child):
                self._read_cell(child, row, column, names)

    def _find_column(self, letters: str) -> int:
        if letters not in self._letters:
            self._letters[letters] = column_index_from_string(letters.replace("$", "").upper())
        return self._letters[letters]

    def _read_cell(self, element: ElementTree.Element, row: int, column: int, names: tuple[str, str]) -> None:
        formula, array, value = None, None, None
        for child in element:
            if child.tag == names[0]:
                value = self._read_value(element.get("t"), child.text)
            elif child.tag == names[1]:
                formula, array = self._read_formula(child, row, column)
            elif local_name(child) == "is":
                value = _join_runs(child)
        if value is None and formula is None:
            return
        if isinstance(value, str):
            self._texts[row, column] = value
        if column not in self._columns:
            self._columns[column] = {}
        self._columns[column][row] = Cell(value, formula, array)

    def _read_value(self, kind: str | None, text: str | None) -> Content:
        if text is None:
            return None
        if kind is None or kind == "n":
            number = float(text)
            return number if math.isfinite(number) else text  # no spreadsheet has written that
        if kind == "s":
            return self.shared_texts[int(text)]
        return text.strip() == "1" if kind == "b" else text

    def _read_formula(
        self, element: ElementTree.Element, row: int, column: int
    ) -> tuple[Pattern | None, Rectangle | None]:
        kind, text = element.get("t"), element.text or ""
        if kind == "shared" and not text:
            return self._shared.get(element.get("si", "")), None
        if kind == "dataTable":
            text = "TABLE()"  # Excel's what-if tables, which are computed by substitution
        if not text:
            return None, None
        pattern = self._patterns.intern(f"={text}", row, column)
        if kind == "shared":
            self._shared[element.get("si", "")] = pattern
        if kind == "array":
            cells = _read_range(element.get("ref") or f"{column}")
            self._arrays.append((pattern, cells))
            return pattern, cells
        return pattern, None

    def _spread(self, pattern: Pattern, cells: Rectangle) -> None:
        """Give an array formula to every cell that it fills."""
        size = (cells.bottom - cells.top + 1) * (cells.right - cells.left + 1)
        for column in range(cells.left, cells.right + 1) if size <= _MAX_ARRAY else ():
            known = self._columns.setdefault(column, {})
            for row in range(cells.top, cells.bottom + 1):
                value = known[row].value if row in known else None
                known[row] = Cell(value, pattern, cells)
            self._columns[column] = dict(sorted(known.items()))
