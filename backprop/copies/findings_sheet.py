"""The sheet “Findings” of a marked copy: what was found, with links to the cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from backprop.copies.parts import DECLARATION, Parts
from backprop.copies.splice import append_child, find_elements, write_attribute, write_text

_TITLE = "Findings"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_COLUMNS = (("No.", 5), ("Sheet", 14), ("Cells", 16), ("What", 11), ("Kind", 10), ("Explanation", 96))
_FONT = b'<sz val="10"/><rFont val="Arial"/><family val="2"/>'
_PLAIN, _BOLD = b"<rPr>%s</rPr>" % _FONT, b"<rPr><b/>%s</rPr>" % _FONT
_LINK = b'<rPr><u/><color rgb="FF0563C1"/>%s</rPr>' % _FONT


@dataclass(frozen=True)
class Entry:
    """A finding in the list: a row, and one more for each of its formulas."""

    sheet: str
    cells: str
    subject: str
    label: str
    explanation: str
    found: str
    remedy: str
    """What the expected formula is: expected, or now there."""
    expected: str
    target: str
    """The first of the cells, with its sheet."""


def add_findings_sheet(parts: Parts, summary: Sequence[str], entries: Sequence[Entry]) -> None:
    """Add the sheet behind all others: lines that sum up, then a row for each finding."""
    content = parts.read(parts.workbook)
    elements = find_elements(content, lambda path, _: path[1:2] == ["sheets"])
    titles = {element.attributes.get("name", "").casefold() for element in elements}
    title = next(
        name for n in range(1, 100_000) if (name := _TITLE if n == 1 else f"{_TITLE} {n}").casefold() not in titles
    )
    number = max((int(element.attributes.get("sheetId", 0)) for element in elements), default=0) + 1
    part = parts.free_name("xl/worksheets/sheet{}.xml")
    link = parts.add(parts.workbook, "worksheet", part, _write_sheet(parts, summary, entries), _TYPE)
    namespaces = f'xmlns="{parts.main_namespace}" xmlns:r="{parts.links_namespace}"'
    sheet = f'<sheet {namespaces} name="{title}" sheetId="{number}" r:id="{link}"/>'
    parts.edit(parts.workbook, append_child(content, elements[-1], sheet.encode()))


def _write_sheet(parts: Parts, summary: Sequence[str], entries: Sequence[Entry]) -> bytes:
    rows = [[_bold(text) if place == 0 else _plain(text)] for place, text in enumerate(summary)]
    rows += [[], [_bold(name) for name, _ in _COLUMNS]] if entries else []
    links = []
    for number, entry in enumerate(entries, 1):
        texts = (str(number), entry.sheet, entry.cells, entry.subject, entry.label, entry.explanation)
        rows.append([(text, _LINK if place == 2 else _PLAIN) for place, text in enumerate(texts)])
        links.append(_write_link(f"C{len(rows)}", entry.target))
        for what, formula in (("found", entry.found), (entry.remedy, entry.expected)):
            rows += [[_plain("")] * 4 + [_plain(what), _plain(formula)]] if formula else []
    widths = b"".join(
        b'<col min="%d" max="%d" width="%d" customWidth="1"/>' % (n, n, w) for n, (_, w) in enumerate(_COLUMNS, 1)
    )
    written = [_write_row(number, texts) for number, texts in enumerate(rows, 1)]
    inside = b'<sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
    inside += b'<sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>'
    inside += b"<cols>%s</cols><sheetData>%s</sheetData>" % (widths, b"".join(written))
    inside += b"<hyperlinks>%s</hyperlinks>" % b"".join(links) if links else b""
    inside += b'<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
    inside += b'<pageSetup orientation="landscape" fitToHeight="0"/>'
    return b'%s<worksheet xmlns="%s">%s</worksheet>' % (DECLARATION, parts.main_namespace.encode(), inside)


def _plain(text: str) -> tuple[str, bytes]:
    return text, _PLAIN


def _bold(text: str) -> tuple[str, bytes]:
    return text, _BOLD


def _write_row(number: int, texts: Sequence[tuple[str, bytes]]) -> bytes:
    """Write texts from column A; they are stored in the sheet itself, in runs that need no style of the workbook."""
    cells = b"".join(
        b'<c r="%s%d" t="inlineStr"><is><r>%s<t xml:space="preserve">%s</t></r></is></c>'
        % (chr(ord("A") + place).encode(), number, properties, write_text(text))
        for place, (text, properties) in enumerate(texts)
        if text
    )
    return b'<row r="%d">%s</row>' % (number, cells)


def _write_link(cell: str, target: str) -> bytes:
    return b'<hyperlink ref="%s" location=%s/>' % (cell.encode(), write_attribute(target))
