"""From matplotlib's SVG to one that a page under a strict Content-Security-Policy can carry inline.

Such a page blocks `style` attributes and `<style>` elements, and several figures in one page must not share ids.
"""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

_SVG, _XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
_REFERRING = ("href", "clip-path")
_REFERENCE = re.compile(r"#([\w.-]+)")


def inline_svg(figure: Figure, name: str, title: str, description: str, classes: Mapping[str, str]) -> Markup:
    """Turn a figure into one <svg> element.

    `classes` maps colours, as #rrggbb, to the words that name them in the style sheet: a stroke in that colour gets
    the class `s-word` instead, a fill `f-word`.
    """
    root = ET.fromstring(_save(figure))
    for element in list(root.iter()):
        _clean(element, classes)
    _rename_ids(root, name)
    _head(root, name, title, description)
    ET.register_namespace("", _SVG)
    return Markup(_tighten(ET.tostring(root, encoding="unicode")))


def _save(figure: Figure) -> bytes:
    content = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(content, format="svg", metadata={"Date": None}, transparent=True)
    return content.getvalue()


def _clean(element: ET.Element, classes: Mapping[str, str]) -> None:
    """Drop what the page can't have, and write style properties as attributes or classes."""
    for child in list(element):
        if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
            element.remove(child)
    words = []
    for key, value in _properties(element.attrib.pop("style", "")):
        word = classes.get(value) if key in ("fill", "stroke") else None
        if word:
            words.append(f"{key[0]}-{word}")
        elif key == "font":
            element.attrib |= _font(value)
        elif key != "font-family":  # the page's own is used
            element.set(key, value)
    if words:
        element.set("class", " ".join(words))
    if _XLINK in element.attrib:
        element.set("href", element.attrib.pop(_XLINK))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.tag == f"{{{_SVG}}}path":
        element.set("d", " ".join(element.get("d", "").split()))


def _properties(style: str) -> Iterator[tuple[str, str]]:
    for item in filter(None, map(str.strip, style.split(";"))):
        key, _, value = item.partition(":")
        yield key.strip(), value.strip()


def _font(shorthand: str) -> dict[str, str]:
    """Read weight and size from `font: 700 12px …`."""
    before_family = shorthand.split("px")[0].split()
    weight = {"font-weight": before_family[0]} if len(before_family) > 1 else {}
    return {**weight, "font-size": f"{before_family[-1]}px"}


def _rename_ids(root: ET.Element, name: str) -> None:
    """Keep the ids that something refers to, with the figure's name in front."""
    used = {
        reference
        for element in root.iter()
        for key in _REFERRING
        for reference in _REFERENCE.findall(element.get(key, ""))
    }
    for element in root.iter():
        if element.attrib.get("id") in used:
            element.set("id", f"{name}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
        for key in _REFERRING:
            if key in element.attrib:
                element.set(key, _REFERENCE.sub(rf"#{name}-\1", element.attrib[key]))


def _head(root: ET.Element, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "stroke-linejoin": "round",
        "fill": "currentColor",
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(place, element)


def _tighten(text: str) -> str:
    """Remove empty groups and the white space between elements."""
    text = re.sub(r">\s+<", "><", text)
    while "<g></g>" in text or "<g />" in text or "<defs />" in text:
        text = text.replace("<g></g>", "").replace("<g />", "").replace("<defs />", "")
    return text
