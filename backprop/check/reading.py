"""Opening a foreign workbook without trusting it: nothing in it is run, followed or believed."""

import io
import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import defusedxml  # openpyxl parses with it once it is installed
import openpyxl

from backprop.errors import BackpropError

MAX_BYTES, MAX_CELLS = 200_000_000, 1_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_EMPTY_CELL = re.compile(rb'<c(?: [a-z]+="[^"<>]*")*\s*/>')
"""A cell that has a format and nothing else; a coloured sheet may have a hundred thousand of them."""
assert defusedxml.__version__

Place = tuple[int, int]
"""Row and column, counted from 1."""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, and what it showed when it was last computed."""

    content: Any
    """A formula with its leading =, a number, a text, a truth value."""
    shown: Any

    @property
    def is_formula(self) -> bool:
        """Tell a formula from a value."""
        return isinstance(self.content, str) and self.content.startswith("=")


@dataclass(frozen=True)
class Series:
    """One line of a chart: the reference it draws, as written."""

    sheet: str
    reference: str


@dataclass(frozen=True)
class Book:
    """A workbook's cells that exist, its charts and its defined names."""

    sheets: Mapping[str, Mapping[Place, Cell]]
    series: tuple[Series, ...]
    names: Mapping[str, str]
    """Defined name in capitals → what it refers to."""


def read_book(path: Path) -> Book:
    """Read a workbook. Raises BackpropError, in one line, for whatever is no harmless .xlsx file."""
    content = _checked_content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about shapes and extensions, which do not matter here
            formulas = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
            values = openpyxl.load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
        sheets = {sheet.title: _cells(sheet, values[sheet.title]) for sheet in formulas.worksheets}
        series = tuple(s for sheet in formulas.worksheets for s in _series(sheet))
        names = {name.upper(): str(defined.attr_text) for name, defined in formulas.defined_names.items()}
    except Exception as error:
        # openpyxl lets through whatever its parts raise: a dozen unrelated classes for a damaged file.
        raise BackpropError(f"the file is damaged ({type(error).__name__}): save it anew as .xlsx") from error
    return Book(sheets, series, names)


def _checked_content(path: Path) -> bytes:
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise BackpropError(f"cannot be read: {error.strerror}") from error
    if content is None:
        raise BackpropError(f"larger than {MAX_BYTES // 1_000_000} MB")
    if content.startswith(_OLE):
        raise BackpropError("protected by a password or an old .xls file: save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _slimmed(archive)
    except BackpropError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise BackpropError("not an .xlsx file, or damaged: save it as .xlsx from Excel") from error
    except Exception as error:  # zlib and struct have errors of their own
        raise BackpropError(f"damaged ({type(error).__name__}): save it anew as .xlsx") from error


def _slimmed(archive: zipfile.ZipFile) -> bytes:
    """Unpack every part once, within bounds, before anything parses it, and leave out cells that hold nothing."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names:
        raise BackpropError("no workbook inside: save it as .xlsx from Excel")
    room, cells, slim = MAX_BYTES, 0, io.BytesIO()
    with zipfile.ZipFile(slim, "w") as target:
        for name in dict.fromkeys(names):
            with archive.open(name) as part:
                content = part.read(room + 1)
            room -= len(content)
            if room < 0:
                raise BackpropError(f"unpacks to more than {MAX_BYTES // 1_000_000} MB")
            if name.endswith((".xml", ".rels", ".vml")) and _FORBIDDEN.search(content.replace(b"\0", b"")):
                raise BackpropError("contains XML entities or a document type, which no workbook needs")
            if name.startswith("xl/worksheets/"):
                content = _EMPTY_CELL.sub(b"", content)
                cells += content.count(b"<c ") + content.count(b":c ")
            target.writestr(name, content)
    if cells > MAX_CELLS:
        raise BackpropError(f"has more than {MAX_CELLS:,} cells")
    return slim.getvalue()


def _cells(formulas: Any, values: Any) -> dict[Place, Cell]:
    shown = values._cells
    found = {}
    for place, cell in formulas._cells.items():  # only those that exist: a used range may claim a million more
        content = cell.value
        if content is None:
            continue
        if not isinstance(content, str | int | float | bool):
            content = getattr(content, "text", None) or str(content)  # array and table formulas
        other = shown.get(place)
        found[place] = Cell(_as_excel(content), None if other is None else _as_excel(other.value))
    return found


def _as_excel(value: Any) -> Any:
    """Take a number that no double can hold, which no Excel has written, for a text."""
    if not isinstance(value, int | float):
        return value
    try:
        return value if math.isfinite(value) else str(value)
    except OverflowError:
        return "a number with too many digits"


def _series(sheet: Any) -> Iterator[Series]:
    for chart in getattr(sheet, "_charts", ()):
        for series in chart.series:
            values = getattr(series, "val", None) or getattr(series, "yVal", None)
            reference = getattr(getattr(values, "numRef", None), "f", None)
            if reference:
                yield Series(sheet.title, reference)
