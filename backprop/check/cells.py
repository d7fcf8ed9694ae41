"""The cells, charts and names of a foreign workbook, read without trusting it: nothing in it is run or followed."""

import io
import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import defusedxml  # openpyxl parses with it once it is installed
import openpyxl
from openpyxl.utils import get_column_letter

from backprop.errors import BackpropError

MAX_BYTES, MAX_CELLS = 200_000_000, 1_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_EMPTY_CELL = re.compile(rb'<c(?: [a-z]+="[^"<>]*")*\s*/>')
"""A cell that has a format and nothing else; a coloured sheet may have a hundred thousand of them."""
assert defusedxml.__version__


class Address(NamedTuple):
    """A cell's sheet, row and column, both counted from 1."""

    sheet: str
    row: int
    column: int

    @property
    def letters(self) -> str:
        """Return the column's letters."""
        return get_column_letter(self.column)

    @property
    def a1(self) -> str:
        """Format row and column without the sheet: Z33."""
        return f"{self.letters}{self.row}"


@dataclass(frozen=True)
class ForeignCell:
    """The content of a cell, and its result when the sheet was last computed."""

    content: Any
    """A formula with its leading =, a number, a text, a truth value."""
    stored_result: Any

    @property
    def is_formula(self) -> bool:
        """Return whether the cell holds a formula."""
        return isinstance(self.content, str) and self.content.startswith("=")

    @property
    def value(self) -> Any:
        """Return what the cell shows: a formula's stored result, or the content."""
        return self.stored_result if self.is_formula else self.content


@dataclass(frozen=True)
class ChartSeries:
    """One series of a chart: the reference to its values, as written."""

    sheet: str
    reference: str


@dataclass(frozen=True)
class ForeignWorkbook:
    """A workbook's cells that exist, its charts and its defined names."""

    sheets: Mapping[str, Mapping[tuple[int, int], ForeignCell]]
    """By sheet, row and column."""
    series: tuple[ChartSeries, ...]
    names: Mapping[str, str]
    """Defined name in capitals → what it refers to."""

    def cell(self, address: Address) -> ForeignCell | None:
        """Return a cell, or None where there is none."""
        return self.sheets.get(address.sheet, {}).get(address[1:])

    def number(self, address: Address) -> float | None:
        """Return the number that a cell shows, or None."""
        cell = self.cell(address)
        return float(cell.value) if cell is not None and isinstance(cell.value, int | float) else None


def read_workbook(path: Path) -> ForeignWorkbook:
    """Read a workbook. Raises BackpropError, in one line, for whatever is no harmless .xlsx file."""
    content = _read_content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about shapes and extensions, which do not matter here
            formulas = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
            values = openpyxl.load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
        sheets = {sheet.title: _read_cells(sheet, values[sheet.title]) for sheet in formulas.worksheets}
        series = tuple(s for sheet in formulas.worksheets for s in _read_series(sheet))
        names = {name.upper(): str(defined.attr_text) for name, defined in formulas.defined_names.items()}
    except Exception as error:
        # openpyxl lets through whatever its parts raise: a dozen unrelated classes for a damaged file.
        raise BackpropError(f"the file is damaged ({type(error).__name__}): save it anew as .xlsx") from error
    return ForeignWorkbook(sheets, series, names)


def _read_content(path: Path) -> bytes:
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
            return _drop_empty_cells(archive)
    except BackpropError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise BackpropError("not an .xlsx file, or damaged: save it as .xlsx from Excel") from error
    except Exception as error:  # zlib and struct have errors of their own
        raise BackpropError(f"damaged ({type(error).__name__}): save it anew as .xlsx") from error


def _drop_empty_cells(archive: zipfile.ZipFile) -> bytes:
    """Unpack every part once, within bounds, before anything parses it, and leave out cells that hold nothing."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names:
        raise BackpropError("no workbook inside: save it as .xlsx from Excel")
    remaining, cells, result = MAX_BYTES, 0, io.BytesIO()
    with zipfile.ZipFile(result, "w") as target:
        for name in dict.fromkeys(names):
            with archive.open(name) as part:
                content = part.read(remaining + 1)
            remaining -= len(content)
            if remaining < 0:
                raise BackpropError(f"unpacks to more than {MAX_BYTES // 1_000_000} MB")
            if name.endswith((".xml", ".rels", ".vml")) and _FORBIDDEN.search(content.replace(b"\0", b"")):
                raise BackpropError("contains XML entities or a document type, which no workbook needs")
            if name.startswith("xl/worksheets/"):
                content = _EMPTY_CELL.sub(b"", content)
                cells += content.count(b"<c ") + content.count(b":c ")
            target.writestr(name, content)
    if cells > MAX_CELLS:
        raise BackpropError(f"has more than {MAX_CELLS:,} cells")
    return result.getvalue()


def _read_cells(formulas: Any, values: Any) -> dict[tuple[int, int], ForeignCell]:
    results = values._cells
    found = {}
    for place, cell in formulas._cells.items():  # only those that exist: a used range may claim a million more
        content = cell.value
        if content is None:
            continue
        if not isinstance(content, str | int | float | bool):
            content = getattr(content, "text", None) or str(content)  # array and table formulas
        stored = results[place].value if place in results else None
        found[place] = ForeignCell(_reject_overflow(content), _reject_overflow(stored))
    return found


def _reject_overflow(value: Any) -> Any:
    """Return a number that no double can hold, which no Excel has written, as a text."""
    if not isinstance(value, int | float):
        return value
    try:
        return value if math.isfinite(value) else str(value)
    except OverflowError:
        return "a number with too many digits"


def _read_series(sheet: Any) -> Iterator[ChartSeries]:
    for chart in getattr(sheet, "_charts", ()):
        for series in chart.series:
            values = getattr(series, "val", None) or getattr(series, "yVal", None)
            reference = getattr(getattr(values, "numRef", None), "f", None)
            if reference:
                yield ChartSeries(sheet.title, reference)
