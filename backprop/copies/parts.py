"""The parts of a workbook's package, some of them changed or added; written anew, all others have their old bytes."""

import io
import posixpath
import zipfile
from dataclasses import dataclass, field

from backprop.check.package import MAX_UNPACKED, Package, open_package
from backprop.copies.splice import (
    Edit,
    append_child,
    apply,
    as_ascii_superset,
    find_elements,
    write_attribute,
)
from backprop.errors import BackpropError

_TYPES = "[Content_Types].xml"
_RELATIONS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_RELATIONS = b"http://schemas.openxmlformats.org/package/2006/relationships"
_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_LINKS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass
class Parts:
    """A package that is being edited."""

    content: bytes
    package: Package = field(init=False)
    workbook: str = field(init=False)
    """The name of the workbook's part."""
    _changed: dict[str, bytes | None] = field(init=False, default_factory=dict)
    """By the name in small letters; None for a part that is left out."""
    _added: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.package = open_package(self.content)
        self.workbook = self.package.find_workbook()
        is_strict = _STRICT in self.read(self.workbook)
        self.links_namespace = _STRICT_LINKS if is_strict else _TRANSITIONAL_LINKS
        self.main_namespace = (
            "http://purl.oclc.org/ooxml/spreadsheetml/main"
            if is_strict
            else "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        )

    def has(self, part: str) -> bool:
        """Return whether there is such a part now."""
        name = part.casefold()
        return self._changed[name] is not None if name in self._changed else self.package.has(part)

    def read(self, part: str) -> bytes:
        """Return a part as it is now."""
        changed = self._changed.get(part.casefold())
        return as_ascii_superset(self.package.read(part)) if changed is None else changed

    def write(self, part: str, content: bytes) -> None:
        """Change a part, or add one."""
        if not self.has(part):
            self._added.append(part)
        self._changed[part.casefold()] = content

    def edit(self, part: str, *edits: Edit) -> None:
        """Change some bytes of a part."""
        self.write(part, apply(self.read(part), edits))

    def find_links(self, part: str, kind: str) -> dict[str, str]:
        """Return the parts that a part leads to by relationships of a kind: relationship id → part."""
        relations = _relations_of(part)
        if not self.has(relations):
            return {}
        found = {}
        for element in find_elements(self.read(relations), lambda path, _: path[-1] == "Relationship"):
            target = element.attributes.get("Target", "").replace("\\", "/")
            if element.attributes.get("Type", "").endswith(f"/{kind}"):
                full = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target))
                found[element.attributes.get("Id", "")] = full.lstrip("/")
        return found

    def add(self, source: str, kind: str, part: str, content: bytes, content_type: str) -> str:
        """Add a part that another leads to, and return the relationship's id."""
        self.write(part, content)
        self._declare(part, content_type)
        relations = _relations_of(source)
        if not self.has(relations):
            self.write(relations, DECLARATION + b'<Relationships xmlns="%s"/>' % _RELATIONS)
        old = self.read(relations)
        elements = find_elements(old, lambda path, _: len(path) <= 2)
        taken = {element.attributes.get("Id") for element in elements}
        name = next(f"rId{n}" for n in range(1, len(elements) + 2) if f"rId{n}" not in taken)
        target = posixpath.relpath(part, posixpath.dirname(source))
        link = f' Id="{name}" Type="{self.links_namespace}/{kind}" Target='.encode() + write_attribute(target)
        self.edit(relations, append_child(old, elements[-1], b'<Relationship xmlns="%s"%s/>' % (_RELATIONS, link)))
        return name

    def remove(self, source: str, kind: str) -> None:
        """Leave out the parts that a part leads to by relationships of a kind."""
        for name, part in self.find_links(source, kind).items():
            self._changed[part.casefold()] = None
            self._cut(_relations_of(source), "Id", name)
            self._cut(_TYPES, "PartName", f"/{part}")

    def _cut(self, part: str, attribute: str, value: str) -> None:
        content = self.read(part)
        elements = find_elements(
            content, lambda path, found: len(path) == 2 and found.get(attribute, "").casefold() == value.casefold()
        )
        self.edit(part, *(Edit(element.start, element.end, b"") for element in elements))

    def free_name(self, pattern: str) -> str:
        """Return the first name of a part, such as xl/comments{}.xml, that no part has."""
        return next(name for n in range(1, 100_000) if not self.has(name := pattern.format(n)))

    def _declare(self, part: str, content_type: str) -> None:
        """Name the type of a part; drawings of notes are known by their file extension."""
        types = self.read(_TYPES)
        elements = find_elements(types, lambda path, _: len(path) <= 2)
        name, value = ("Extension", part.rpartition(".")[2]) if part.endswith(".vml") else ("PartName", f"/{part}")
        if any(element.attributes.get(name, "").casefold() == value.casefold() for element in elements):
            return
        tag = "Default" if name == "Extension" else "Override"
        child = f'<{tag} xmlns="http://schemas.openxmlformats.org/package/2006/content-types" {name}='.encode()
        child += write_attribute(value) + b" ContentType=" + write_attribute(content_type) + b"/>"
        self.edit(_TYPES, append_child(types, elements[-1], child))

    def to_bytes(self) -> bytes:
        """Pack all parts, in their old order and with their old dates."""
        file, left = io.BytesIO(), MAX_UNPACKED
        old = self.package.archive
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in {info.filename: info for info in old.infolist()}.values():
                name = entry.filename.replace("\\", "/").casefold()
                content = self._changed.get(name)
                if content is None and name not in self._changed:
                    with old.open(entry) as part:
                        content = part.read(left + 1)
                if content is not None:
                    left -= len(content)
                    if left < 0:
                        raise BackpropError(f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB")
                    new.writestr(_copy_info(entry), content)
            for added in self._added:
                content = self._changed[added.casefold()]
                if content is not None:
                    new.writestr(zipfile.ZipInfo(added, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        return file.getvalue()


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _copy_info(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Describe a part for a new archive as it was in the old one."""
    info = zipfile.ZipInfo(entry.filename, entry.date_time)
    info.compress_type = entry.compress_type if entry.compress_type in (0, 8) else zipfile.ZIP_DEFLATED
    info.external_attr, info.comment = entry.external_attr, entry.comment
    return info
