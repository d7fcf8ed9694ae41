"""The parts of an .xlsx file, named and written as Excel names and writes them.

openpyxl chooses other names, prefixes and orders, which the standard allows and several programs do not read. Its parts
also depend on whether lxml is installed; written once more, they do not.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_PREFIXES = {
    "xdr": SHEET_DRAWING,
    "a": DRAWING,
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
    "cp": "http://schemas.openxmlformats.org/package/2006/metadata/core-properties",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_UNPREFIXED = (
    MAIN,
    "http://schemas.openxmlformats.org/package/2006/relationships",
    "http://schemas.openxmlformats.org/package/2006/content-types",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties",
)
_RENAMED = (
    (re.compile(r"xl/comments/comment(\d+)\.xml"), r"xl/comments\1.xml"),
    (re.compile(r"xl/drawings/commentsDrawing(\d+)\.vml"), r"xl/drawings/vmlDrawing\1.vml"),
)
_FONT = (
    *("b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family"),
    *("charset", "scheme"),
)
"""The order of a font's properties in the schema."""


def rename(name: str) -> str:
    """Return what Excel calls a part that openpyxl has named."""
    for pattern, meant in _RENAMED:
        name = pattern.sub(meant, name)
    return name


def parse(parts: Mapping[str, bytes]) -> dict[str, Element]:
    """Parse the parts that openpyxl has written, and give them Excel's names, order and structure."""
    trees = {rename(name): ElementTree.fromstring(content) for name, content in parts.items()}
    for name, root in trees.items():
        if name.endswith(".rels"):
            _relate(root, posixpath.dirname(posixpath.dirname(name)))
        elif name == "[Content_Types].xml":
            for part in root.iterfind("*[@PartName]"):
                part.set("PartName", rename(part.get("PartName", "")))
        elif name == "xl/styles.xml":
            for font in root.iter(f"{{{MAIN}}}font"):
                font[:] = sorted(font, key=lambda part: _FONT.index(_local(part)))
        elif name.startswith("xl/comments"):
            _write_in_runs(root)
        elif name.startswith("xl/worksheets/"):
            for merged in root.iter(f"{{{MAIN}}}mergeCells"):
                merged[:] = sorted(merged, key=lambda area: area.get("ref", ""))
    return trees


def serialise(root: Element) -> bytes:
    """Write a part with the prefixes that Excel uses."""
    for prefix, namespace in _PREFIXES.items():
        ElementTree.register_namespace(prefix, namespace)
    namespace = root.tag.partition("}")[0].removeprefix("{")
    if namespace in _UNPREFIXED:
        ElementTree.register_namespace("", namespace)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text.encode()


def describe_frames(drawing: Element, descriptions: Iterable[str]) -> None:
    """Set the alternative text of a drawing's charts, in their order."""
    frames = drawing.iter(f"{{{SHEET_DRAWING}}}graphicFrame")
    for frame, description in zip(frames, descriptions, strict=True):
        for properties in frame.iter(f"{{{SHEET_DRAWING}}}cNvPr"):
            properties.set("descr", description)


def _relate(relations: Element, folder: str) -> None:
    """Name targets from the folder of the part that they belong to."""
    for relation in relations:
        target = relation.get("Target", "")
        if target.startswith("/"):
            relation.set("Target", posixpath.relpath(rename(target.removeprefix("/")), folder))


def _write_in_runs(comments: Element) -> None:
    for text in comments.iter(f"{{{MAIN}}}text"):
        words = "".join(text.itertext())
        text.clear()
        piece = SubElement(SubElement(text, f"{{{MAIN}}}r"), f"{{{MAIN}}}t")
        piece.text = words
        piece.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
