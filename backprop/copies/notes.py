"""Notes on cells: a sheet's comments, and the boxes that programs show them in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from backprop.check.cells import Address
from backprop.copies.parts import DECLARATION, Parts
from backprop.copies.splice import (
    Edit,
    Element,
    append_child,
    find_elements,
    insert_child,
    write_text,
)

AUTHOR = "backprop check"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_BOXES_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_AFTER_BOXES = frozenset(
    {
        *("legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts"),
        "extLst",
    }
)
"""What the schema puts behind a worksheet's `legacyDrawing`."""
_BOXES = b"""\
<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" \
xmlns:x="urn:schemas-microsoft-com:office:excel">\
<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="%d"/></o:shapelayout></xml>"""
_SHAPE_TYPE = b"""\
<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">\
<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"""
_BOX = """\
<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" \
fillcolor="#ffffe1" o:insetmode="auto">\
<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>\
<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>\
<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>\
<x:Anchor>{left}, 12, {top}, 4, {right}, 12, {bottom}, 4</x:Anchor>\
<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"""
_CHARACTERS_A_LINE, _COLUMNS, _LAST_COLUMN, _LAST_ROW = 44, 5, 16_383, 1_048_575
_SHAPES_A_DRAWING = 1024
"""How many numbers of shapes a drawing reserves."""
_RESERVED = re.compile(rb"""<o:idmap [^>]*data=["'](\d{1,6})""")
_SHAPE = re.compile(rb"_x0000_s(\d{1,9})\b")


class _Comments(NamedTuple):
    """The comments of a sheet: their part, its bytes, its elements."""

    part: str
    content: bytes
    elements: Sequence[Element]

    def only(self, name: str) -> Element:
        """Return the one element of that name."""
        return next(element for element in self.elements if element.name == name)


def add_notes(parts: Parts, sheet: str, notes: Mapping[Address, str]) -> None:
    """Put notes on cells of a sheet's part; a cell that has one keeps it, and gets the new text below it.

    Raises what reading a damaged part raises.
    """
    comments = _find_comments(parts, sheet)
    noted = {e.attributes.get("ref", "").replace("$", ""): e for e in comments.elements if e.name == "comment"}
    new = {cell: text for cell, text in sorted(notes.items()) if cell.a1 not in noted}
    author = sum(element.name == "author" for element in comments.elements)
    edits = [
        edit
        for cell, text in notes.items()
        if cell.a1 in noted
        for edit in _extend(parts, comments, noted[cell.a1], text)
    ]
    if new:
        namespace = parts.main_namespace.encode()
        ours = b'<author xmlns="%s">%s</author>' % (namespace, write_text(AUTHOR))
        children = b"".join(
            b'<comment xmlns="%s" ref="%s" authorId="%d"><text>%s</text></comment>'
            % (namespace, cell.a1.encode(), author, _write_run(parts, text))
            for cell, text in new.items()
        )
        edits.append(append_child(comments.content, comments.only("authors"), ours))
        edits.append(append_child(comments.content, comments.only("commentList"), children))
    parts.edit(comments.part, *edits)
    _add_boxes(parts, sheet, new)


def _find_comments(parts: Parts, sheet: str) -> _Comments:
    part = next(iter(parts.find_links(sheet, "comments").values()), None)
    if part is None or not parts.has(part):
        part = parts.free_name("xl/comments{}.xml")
        empty = b'%s<comments xmlns="%s"><authors/><commentList/></comments>'
        parts.add(sheet, "comments", part, empty % (DECLARATION, parts.main_namespace.encode()), _COMMENTS_TYPE)
    content = parts.read(part)
    return _Comments(part, content, find_elements(content, lambda path, _: len(path) <= 5))


def _write_run(parts: Parts, text: str) -> bytes:
    size = b'<rPr><sz val="9"/><rFont val="Tahoma"/><family val="2"/></rPr>'
    run = b'<r xmlns="%s">%s<t xml:space="preserve">%s</t></r>'
    return run % (parts.main_namespace.encode(), size, write_text(text))


def _extend(parts: Parts, comments: _Comments, comment: Element, text: str) -> Iterator[Edit]:
    """Write more text below a note's own, whose plain text becomes a run: no runs follow plain text."""
    inside = [e for e in comments.elements if comment.start <= e.start < comment.end]
    whole = next(e for e in inside if e.path == (*comment.path, "text"))
    added, last = _write_run(parts, f"\n\n{text}"), None
    for element in (e for e in inside if e.parent == whole.path):
        if element.name == "t":
            yield Edit(element.start, element.start, b'<r xmlns="%s">' % parts.main_namespace.encode())
            yield Edit(element.end, element.end, b"</r>" + added)
            return
        last = element if element.name == "r" else last
    yield append_child(comments.content, whole, added) if last is None else Edit(last.end, last.end, added)


def _add_boxes(parts: Parts, sheet: str, notes: Mapping[Address, str]) -> None:
    """Add a hidden box for each note to the sheet's drawing of notes and form controls, or to a new one."""
    drawing = _find_drawing(parts, sheet)
    # Excel's own drawings of controls are no well-formed XML: nothing but their end is looked for.
    content = parts.read(drawing)
    reserved = _RESERVED.search(content)
    taken = [_SHAPES_A_DRAWING * int(reserved[1]) if reserved else 0, *map(int, _SHAPE.findall(content))]
    shapes = [_write_box(cell, text, max(taken) + n) for n, (cell, text) in enumerate(notes.items(), 1)]
    if b"_x0000_t202" not in content:
        shapes.insert(0, _SHAPE_TYPE)
    end = content.rindex(b"</")
    parts.write(drawing, content[:end] + b"".join(shapes) + content[end:])


def _find_drawing(parts: Parts, sheet: str) -> str:
    """Return the part that shows a sheet's notes; a new one where there is none."""
    content = parts.read(sheet)
    found = find_elements(content, lambda path, _: len(path) == 2 and path[-1] == "legacyDrawing")
    links = parts.find_links(sheet, "vmlDrawing")
    for name in (value for e in found for key, value in e.attributes.items() if key.endswith(":id")):
        if name in links and parts.has(links[name]):
            return links[name]
    part = parts.free_name("xl/drawings/vmlDrawing{}.vml")
    number = int("".join(filter(str.isdigit, part)))
    name = parts.add(sheet, "vmlDrawing", part, _BOXES % number, _BOXES_TYPE)
    link = f'<legacyDrawing xmlns="{parts.main_namespace}" xmlns:r="{parts.links_namespace}" r:id="{name}"/>'
    parts.edit(sheet, *(Edit(e.start, e.end, b"") for e in found))
    parts.edit(sheet, insert_child(parts.read(sheet), link.encode(), _AFTER_BOXES))
    return part


def _write_box(cell: Address, text: str, number: int) -> bytes:
    """Write the box of a note: right of its cell, as high as its text, hidden until the mouse is over the cell."""
    lines = sum(1 + len(line) // _CHARACTERS_A_LINE for line in text.split("\n")) + 1
    left, top = min(cell.column, _LAST_COLUMN - _COLUMNS), max(cell.row - 2, 0)
    place = {"left": left, "right": left + _COLUMNS, "top": top, "bottom": min(top + lines, _LAST_ROW)}
    return _BOX.format(number=number, row=cell.row - 1, column=cell.column - 1, **place).encode()
