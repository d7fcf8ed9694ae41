"""Cells of a worksheet's part written anew: other formulas or results, in the formats that they have."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string

from backprop.copies.splice import Edit, Element, append_child, apply, find_elements, write_attribute, write_text

_FORMULA = re.compile(rb"<((?:\w+:)?)f(?:\s[^>]*)?(?:/>|>.*?</\1f\s*>)", re.DOTALL)
_VALUE = re.compile(rb"<((?:\w+:)?)v(?:\s[^>]*)?(?:/>|>.*?</\1v\s*>)", re.DOTALL)
_SHARED = re.compile(rb"""<(?:\w+:)?f\s(?=[^>]*\bt\s*=\s*["']shared)[^>]*\bsi\s*=\s*["'](\d+)""")
_OF_RESULT = ("t", "cm", "vm")
"""Attributes of a cell that say what its old content was."""
_DIGITS = "0123456789"
Place = tuple[int, int]
"""Row and column, both counted from 1."""


@dataclass(frozen=True)
class Content:
    """What is to change in a cell."""

    formula: str | None = None
    """With its leading =; None where what stands there stays."""
    value: float | None = None
    """A number, typed or computed; None where programs have to compute it."""
    keeps_value: bool = False
    array: str = ""
    """The range that the formula fills as an array formula."""

    @property
    def text(self) -> str | None:
        """Return the new content as a person would type it; None where only the result is new."""
        return self.formula if self.formula or self.value is None else f"{self.value:.15g}"


@dataclass(frozen=True)
class _Row:
    number: int
    element: Element
    cells: Mapping[int, Element]
    """By column."""


def write_cells(part: bytes, contents: Mapping[Place, Content], formula: Callable[[Place], str | None]) -> bytes:
    """Write cells into a worksheet, and return it.

    Where one of the cells that share a formula gets another, it is written out in all of them: `formula` returns it.
    """
    elements = find_elements(part, lambda path, _: path[1:2] == ["sheetData"] and len(path) <= 4)
    rows = list(_find_rows(elements))
    by_row: dict[int, dict[int, Content]] = defaultdict(dict)
    for (row, column), content in sorted({**contents, **_unshare(part, rows, contents, formula)}.items()):
        by_row[row][column] = content
    edits = [edit for row in rows if row.number in by_row for edit in _edit_row(part, row, by_row.pop(row.number))]
    return apply(part, [*edits, *_add_rows(part, rows, elements[-1], by_row)])


def _find_rows(elements: list[Element]) -> Iterator[_Row]:
    number, column, cells = 0, 0, dict[int, Element]()
    for element in elements:
        place = element.attributes.get("r", "")
        if element.name == "c":
            column = column_index_from_string(place.rstrip(_DIGITS).replace("$", "").upper()) if place else column + 1
            cells[column] = element
        elif element.name == "row":
            number = int(place or number + 1)
            yield _Row(number, element, cells)
            column, cells = 0, {}


def _unshare(
    part: bytes, rows: list[_Row], contents: Mapping[Place, Content], formula: Callable[[Place], str | None]
) -> dict[Place, Content]:
    """Write out the formula of cells that share one with a cell that gets another."""
    groups: dict[bytes, list[Place]] = defaultdict(list)
    for row in rows:
        for column, cell in row.cells.items():
            if shared := _SHARED.search(part, cell.inside, cell.close):
                groups[shared[1]].append((row.number, column))
    touched = (places for places in groups.values() if any(p in contents and contents[p].formula for p in places))
    found = {place: contents.get(place, Content(keeps_value=True)) for places in touched for place in places}
    return {p: content if content.formula else replace(content, formula=formula(p)) for p, content in found.items()}


def _edit_row(part: bytes, row: _Row, contents: Mapping[int, Content]) -> Iterator[Edit]:
    prefix, behind = _prefix(part, row.element), b""
    for column, content in contents.items():
        old = row.cells.get(column)
        following = min((c for c in row.cells if c > column), default=None)
        if old is not None:
            yield Edit(old.start, old.end, _rewrite(part, old, content, prefix))
        elif following is not None:
            place = row.cells[following].start
            yield Edit(place, place, _write_cell(row.number, column, content, prefix))
        else:
            behind += _write_cell(row.number, column, content, prefix)
    if behind:
        yield append_child(part, row.element, behind)


def _add_rows(
    part: bytes, rows: list[_Row], table: Element, contents: Mapping[int, Mapping[int, Content]]
) -> Iterator[Edit]:
    prefix, behind = _prefix(part, table), b""
    for number, cells in contents.items():
        inside = b"".join(_write_cell(number, column, content, prefix) for column, content in cells.items())
        row = b'<%srow r="%d">%s</%srow>' % (prefix, number, inside, prefix)
        following = next((other.element.start for other in rows if other.number > number), None)
        if following is None:
            behind += row
        else:
            yield Edit(following, following, row)
    if behind:
        yield append_child(part, table, behind)


def _prefix(part: bytes, element: Element) -> bytes:
    name = part[element.start + 1 : element.inside].split(maxsplit=1)[0]
    return name[: name.index(b":") + 1] if b":" in name.rstrip(b"/>") else b""


def _write_cell(row: int, column: int, content: Content, prefix: bytes) -> bytes:
    place = f' r="{get_column_letter(column)}{row}"'.encode()
    return b"<%sc%s%s</%sc>" % (prefix, place, _write_inside(content, prefix), prefix)


def _rewrite(part: bytes, cell: Element, content: Content, prefix: bytes) -> bytes:
    inside = part[cell.inside : cell.close]
    formula, value = _FORMULA.search(inside), _VALUE.search(inside)
    kept = formula[0] if formula and content.formula is None else b""
    shown = value[0] if value and content.keeps_value else b""
    dropped = () if content.keeps_value else _OF_RESULT if content.formula else ("t",)
    attributes = ((name, text) for name, text in cell.attributes.items() if name not in dropped)
    written = b"".join(b" %s=%s" % (name.encode(), write_attribute(text)) for name, text in attributes)
    return b"<%sc%s%s</%sc>" % (prefix, written, _write_inside(content, prefix, kept, shown), prefix)


def _write_inside(content: Content, prefix: bytes, kept: bytes = b"", shown: bytes = b"") -> bytes:
    """Write the rest of a cell's tag, and what stands in the cell."""
    formula = kept
    if content.formula is not None:
        kind = f' t="array" ref="{content.array}"'.encode() if content.array else b""
        text = write_text(content.formula.removeprefix("="))
        formula = b"<%sf%s>%s</%sf>" % (prefix, kind, text, prefix)
    if content.value is not None:
        number = repr(float(content.value)).removesuffix(".0")
        shown = b"<%sv>%s</%sv>" % (prefix, number.encode(), prefix)
    return b">" + formula + shown
