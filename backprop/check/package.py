"""An .xlsx file as a package of XML parts, opened without trusting it: nothing in it is run or followed."""

import io
import os
import posixpath
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from backprop.errors import BackpropError

MAX_BYTES, MAX_UNPACKED = 200_000_000, 1_500_000_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORBIDDEN = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Link(NamedTuple):
    """A relationship of a part: its kind, such as worksheet or chart, and the part it leads to."""

    kind: str
    part: str


def read_bytes(path: Path) -> bytes:
    """Read a regular file of a bounded size. Raises BackpropError."""
    try:
        # Opened before it is looked at, and without waiting: a pipe would keep us for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BackpropError("is no regular file")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BackpropError(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise BackpropError(f"larger than {MAX_BYTES // 1_000_000} MB")
    return content


@dataclass
class Package:
    """The parts of a package by name; names differ by more than capitals."""

    archive: zipfile.ZipFile
    _names: dict[str, str] = field(init=False)
    _remaining: int = field(init=False, default=MAX_UNPACKED)

    def __post_init__(self) -> None:
        self._names = {name.replace("\\", "/").casefold(): name for name in self.archive.namelist()}

    def has(self, part: str) -> bool:
        """Return whether there is a part of that name."""
        return part.casefold() in self._names

    def read(self, part: str) -> bytes:
        """Unpack a part, within bounds. Raises BackpropError, KeyError and what zipfile raises for damaged ones."""
        with self.archive.open(self._names[part.casefold()]) as file:
            content = file.read(self._remaining + 1)
        self._remaining -= len(content)
        if self._remaining < 0:
            raise BackpropError(f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB")
        if _FORBIDDEN.search(content.replace(b"\0", b"") if b"\0" in content else content):
            raise BackpropError("contains XML entities or a document type, which no workbook needs")
        return content

    def parse(self, part: str) -> ElementTree.Element:
        """Parse a part. Raises what `read` raises, and ParseError."""
        return ElementTree.fromstring(self.read(part))

    def find_workbook(self) -> str:
        """Return the name of the workbook's part. Raises BackpropError where there is none."""
        main = next((link.part for _, link in self.links("") if link.kind == "officeDocument"), "xl/workbook.xml")
        if not self.has(main):
            raise BackpropError("no workbook inside: save it as .xlsx from Excel")
        return main

    def find_sheets(self) -> Iterator[tuple[str, Link]]:
        """Yield the workbook's sheets in their order: title, kind and part. Raises what `parse` raises."""
        main = self.find_workbook()
        links = dict(self.links(main))
        for element in self.parse(main).iter():
            link = links.get(attribute(element, "id")) if local_name(element) == "sheet" else None
            if link is not None and self.has(link.part):
                yield element.get("name", ""), link

    def links(self, part: str) -> Iterator[tuple[str, Link]]:
        """Yield the relationships of a part with their ids; the ones that lead out of the package are left out."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        for element in self.parse(relations) if self.has(relations) else ():
            if element.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "").replace("\\", "/")))
                kind = element.get("Type", "").rpartition("/")[2]
                yield element.get("Id", ""), Link(kind, target.lstrip("/"))


def open_package(content: bytes) -> Package:
    """Open a package. Raises BackpropError for what is none."""
    try:
        return Package(zipfile.ZipFile(io.BytesIO(content)))
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise BackpropError("not an .xlsx file, or damaged: save it as .xlsx from Excel") from error


def local_name(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace, which differs in Strict Open XML."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: ElementTree.Element, name: str) -> str:
    """Return an attribute by its name without a namespace; empty where there is none."""
    found = (value for key, value in element.attrib.items() if key.rpartition("}")[2] == name and "}" in key)
    return next(found, "")
