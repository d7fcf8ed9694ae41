"""XML edited in its bytes: what is not touched stays as its program wrote it, prefixes, order and white space."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

_TAG = re.compile(rb"""<([^\s/>"']+)(?:\s+[^\s=>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*(/?)>""")
_DECLARED = re.compile(r"""^(<\?xml[^>]*?encoding\s*=\s*["'])[^"']*""")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Element:
    """An element and where it stands in the bytes of its part."""

    path: tuple[str, ...]
    """Local names from the root to the element."""
    attributes: Mapping[str, str]
    """As written, with prefixes."""
    start: int
    inside: int
    """The end of the start tag."""
    close: int
    """The start of the end tag; an empty element's is the end of its only tag."""
    end: int

    @property
    def name(self) -> str:
        """Return the local name."""
        return self.path[-1]

    @property
    def parent(self) -> tuple[str, ...]:
        """Return the path of the element around it."""
        return self.path[:-1]


class Edit(NamedTuple):
    """Bytes from `start` to `end` replaced by others."""

    start: int
    end: int
    content: bytes


def as_ascii_superset(content: bytes) -> bytes:
    """Return a part as bytes in which ASCII stays ASCII: UTF-16, which nearly nobody writes, becomes UTF-8."""
    if not content.startswith(_UTF_16):
        return content
    return _DECLARED.sub(r"\g<1>UTF-8", content.decode("utf-16")).encode()


def find_elements(content: bytes, is_wanted: Callable[[Sequence[str], Mapping[str, str]], bool]) -> list[Element]:
    """Return the elements that are wanted, by path and attributes, in the order in which they end.

    Raises ExpatError for what is no XML.
    """
    parser = expat.ParserCreate()
    path, open_elements, found = list[str](), list[tuple[bool, int, Mapping[str, str]]](), list[Element]()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name.rpartition(":")[2])
        open_elements.append((is_wanted(path, attributes), parser.CurrentByteIndex, attributes))

    def end(_: str) -> None:
        wanted, first, attributes = open_elements.pop()
        if wanted:
            tag = _TAG.match(content, first)
            if tag is None:
                raise expat.ExpatError("a tag is not where the parser says")
            close = tag.end() if tag[2] else parser.CurrentByteIndex
            last = close if tag[2] else content.index(b">", close) + 1
            found.append(Element(tuple(path), attributes, first, tag.end(), close, last))
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(content, True)
    return found


def apply(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the bytes with all edits done, which must not overlap; insertions at one place keep their order."""
    pieces, place = list[bytes](), 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [content[place : edit.start], edit.content]
        place = edit.end
    return b"".join((*pieces, content[place:]))


def append_child(content: bytes, element: Element, child: bytes) -> Edit:
    """Put another child behind those of an element."""
    if element.inside != element.end:
        return Edit(element.close, element.close, child)
    tag = _TAG.match(content, element.start)
    assert tag is not None
    opened = content[element.start : element.end].rstrip(b">").rstrip(b"/").rstrip()
    return Edit(element.start, element.end, b"%s>%s</%s>" % (opened, child, tag[1]))


def insert_child(content: bytes, child: bytes, successors: frozenset[str]) -> Edit:
    """Put a child of the root before the first of its successors, as a schema's sequence demands."""
    elements = find_elements(content, lambda path, _: len(path) <= 2)
    later = [e.start for e in elements if len(e.path) == 2 and e.name in successors]
    return Edit(min(later), min(later), child) if later else append_child(content, elements[-1], child)


def write_text(text: str) -> bytes:
    """Write text for XML of any encoding; what XML cannot hold becomes a replacement character."""
    clean = "".join(c if _is_allowed(c) else "\ufffd" for c in text)
    return escape(clean, {"\r": "&#13;"}).encode("ascii", "xmlcharrefreplace")


def write_attribute(text: str) -> bytes:
    """Write an attribute's value with its quotes."""
    clean = "".join(c if _is_allowed(c) else "\ufffd" for c in text)
    return quoteattr(clean).encode("ascii", "xmlcharrefreplace")


def _is_allowed(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
