"""Drawing of the network as native shapes, whose numbers are linked to cells and follow an edit."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from backprop.network import TOTAL_ERROR, Network
from backprop.sheet.layout import CLASS_SHEET, PICTURE, TablePlace, absolute

_SHEET_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_EMU = 9525  # one pixel at 96 dpi
_WIDTH, _HEIGHT = 690, 200  # pixels of A5:I14 at the default row height

_INPUT, _NET, _ACTIVATION, _OUTPUT = "4472C4", "A9D18E", "548235", "9DC3E6"
_DARK, _WHITE, _ERROR, _TARGET, _LINE = "000000", "FFFFFF", "E00000", "00803C", "5B7DB8"


@dataclass(frozen=True)
class Node:
    """An ellipse with a name; x and y are its centre in pixels."""

    name: str
    x: float
    y: float
    fill: str
    ink: str = _DARK
    radius: float = 20


@dataclass(frozen=True)
class Caption:
    """A name and the number in a cell; x and y are the centre in pixels."""

    name: str
    cell: str
    value: float
    x: float
    y: float
    ink: str = _DARK


def network_anchor(network: Network, place: TablePlace, values: Mapping[str, float]) -> str:
    """Return a DrawingML anchor over the picture's cells.

    `values` are the numbers now, by name; the network has one hidden layer.
    """
    nodes = {node.name: node for node in _nodes(network)}
    shapes = Shapes()
    for start, end in _edges(network):
        shapes.arrow(nodes[start], nodes[end])
    for node in nodes.values():
        shapes.node(node)
    for name, x, y, ink in _caption_places(network, nodes):
        shapes.caption(Caption(name, place.reference(name, place.first_row), values[name], x, y, ink))
    return _anchor("".join(shapes.parts))


def _nodes(network: Network) -> Iterator[Node]:
    heights = (50.0, 150.0)
    hidden, output = network.layers
    for y, name in zip(heights, network.inputs, strict=True):
        yield Node(name, 40, y, _INPUT, _WHITE)
    for y, neuron in zip(heights, hidden, strict=True):
        yield Node(neuron.name, 205, y, _NET)
        yield Node(neuron.activation, 260, y, _ACTIVATION, _WHITE)
    for y, neuron in zip(heights, output, strict=True):
        yield Node(neuron.name, 415, y, _OUTPUT)
        yield Node(neuron.activation, 470, y, _INPUT, _WHITE)
    yield Node(TOTAL_ERROR, 640, 100, _ERROR, _WHITE, radius=34)


def _edges(network: Network) -> Iterator[tuple[str, str]]:
    sources: Iterable[str] = network.inputs
    for layer in network.layers:
        yield from ((source, neuron.name) for neuron in layer for source in sources)
        yield from ((neuron.name, neuron.activation) for neuron in layer)
        sources = [neuron.activation for neuron in layer]
    yield from ((activation, TOTAL_ERROR) for activation in sources)


def _caption_places(network: Network, nodes: dict[str, Node]) -> Iterator[tuple[str, float, float, str]]:
    """Yield name, centre and colour of every caption."""
    sources: Iterable[str] = network.inputs
    for layer in network.layers:
        for neuron in layer:
            for weight, source in zip(neuron.weights, sources, strict=True):
                yield weight, *_on_edge(nodes[source], nodes[neuron.name]), _DARK
        middles = (_HEIGHT / 2,) if len({neuron.bias for neuron in layer}) == 1 else (_HEIGHT / 2 - 9, _HEIGHT / 2 + 9)
        for bias, y in zip(dict.fromkeys(neuron.bias for neuron in layer if neuron.bias), middles, strict=False):
            yield bias, nodes[layer[0].name].x + 24, y, _TARGET
        sources = [neuron.activation for neuron in layer]
    for name in network.inputs:
        yield name, nodes[name].x, nodes[name].y + _outwards(nodes[name].y, 32), _INPUT
    for target, activation in zip(network.targets, sources, strict=True):
        yield target, nodes[activation].x + 4, nodes[activation].y + _outwards(nodes[activation].y, 32), _TARGET
    for error, activation in zip(network.errors, sources, strict=True):
        x, y = (nodes[activation].x + nodes[TOTAL_ERROR].x) / 2, (nodes[activation].y + _HEIGHT / 2) / 2
        yield error, x + 8, y + _outwards(y, 16), _ERROR
    yield TOTAL_ERROR, nodes[TOTAL_ERROR].x - 14, 160, _ERROR


def _on_edge(start: Node, end: Node) -> tuple[float, float]:
    """Return a place at an edge: beside the middle of a straight one, near the end of one that crosses another."""
    along, offset = (0.5, _outwards(end.y, 12)) if start.y == end.y else (0.68, 0)
    return start.x + along * (end.x - start.x), start.y + along * (end.y - start.y) + offset


def _outwards(y: float, distance: int) -> int:
    """Return the offset by which something at `y` moves away from the picture's middle line."""
    return -distance if y < _HEIGHT / 2 else distance


_PAPER = f'<a:solidFill><a:srgbClr val="{_WHITE}"/></a:solidFill>'


class Shapes:
    """Collect DrawingML shapes, numbered from 2 (1 is the group)."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def _number(self) -> int:
        # The sheet's chart takes the first numbers.
        return len(self.parts) + 102

    def node(self, node: Node) -> None:
        """Draw an ellipse with its name."""
        r = node.radius
        run = f"<a:r>{_character(node.ink, 900, bold=True)}<a:t>{escape(node.name)}</a:t></a:r>"
        box = (node.x - r, node.y - min(r, 25), 2 * r, 2 * min(r, 25))
        self._shape(node.name, "ellipse", box, f"<a:solidFill>{_colour(node.fill)}</a:solidFill>", run, "ctr")

    def caption(self, caption: Caption) -> None:
        """Write a name and, right of it, a field that shows a cell of the class sheet."""
        value = f"{caption.value:.9g}"
        name_width, value_width = 6 * len(caption.name) + 4, 5 * len(value) + 6
        left, top = caption.x - (name_width + value_width) / 2, caption.y - 8
        name = f"<a:r>{_character(caption.ink, 800, bold=True)}<a:t>{escape(caption.name)}</a:t></a:r>"
        self._shape(f"{caption.name} name", "rect", (left, top, name_width, 16), _PAPER, name, "r")
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, caption.cell)).upper()
        field = (
            f'<a:fld id="{{{identity}}}" type="TxLink">{_character(caption.ink, 800)}<a:pPr/><a:t>{value}</a:t></a:fld>'
        )
        link = f"'{CLASS_SHEET}'!{absolute(caption.cell)}"
        box = (left + name_width, top, value_width, 16)
        self._shape(f"{caption.name} value", "rect", box, _PAPER, field, "l", link)

    def _shape(
        self, name: str, geometry: str, box: tuple[float, ...], fill: str, text: str, align: str, link: str = ""
    ) -> None:
        self.parts.append(
            f'<xdr:sp macro="" textlink={quoteattr(link)}><xdr:nvSpPr><xdr:cNvPr id="{self._number()}" '
            f"name={quoteattr(name)}/><xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr>{_transform(box)}"
            f'<a:prstGeom prst="{geometry}"><a:avLst/></a:prstGeom>{fill}<a:ln><a:noFill/></a:ln></xdr:spPr>'
            f'<xdr:txBody><a:bodyPr wrap="none" lIns="18000" tIns="0" rIns="18000" bIns="0" anchor="ctr"/><a:lstStyle/>'
            f'<a:p><a:pPr algn="{align}"/>{text}</a:p></xdr:txBody></xdr:sp>'
        )

    def arrow(self, start: Node, end: Node) -> None:
        """Draw an arrow from the right of one node to the left of another."""
        x1, x2 = start.x + start.radius, end.x - end.radius
        y1, y2 = start.y, end.y
        flip = ' flipV="1"' if y2 < y1 else ""
        box = (x1, min(y1, y2), x2 - x1, abs(y2 - y1))
        self.parts.append(
            f'<xdr:cxnSp macro=""><xdr:nvCxnSpPr><xdr:cNvPr id="{self._number()}" '
            f"name={quoteattr(f'{start.name} to {end.name}')}/><xdr:cNvCxnSpPr/></xdr:nvCxnSpPr><xdr:spPr>"
            f'{_transform(box, flip)}<a:prstGeom prst="line"><a:avLst/></a:prstGeom>'
            f'<a:ln w="9525"><a:solidFill>{_colour(_LINE)}</a:solidFill><a:tailEnd type="triangle"/></a:ln>'
            "</xdr:spPr></xdr:cxnSp>"
        )


def _transform(box: tuple[float, ...], flip: str = "") -> str:
    x, y, width, height = (round(side * _EMU) for side in box)
    return f'<a:xfrm{flip}><a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'


def _colour(value: str) -> str:
    return f'<a:srgbClr val="{value}"/>'


def _character(ink: str, size: int, *, bold: bool = False) -> str:
    weight = ' b="1"' if bold else ""
    fill = f"<a:solidFill>{_colour(ink)}</a:solidFill>"
    return f'<a:rPr lang="en-US" sz="{size}"{weight}>{fill}<a:latin typeface="Calibri"/></a:rPr>'


def _anchor(shapes: str) -> str:
    (first, top), (last, bottom) = map(coordinate_from_string, PICTURE)
    width, height = _WIDTH * _EMU, _HEIGHT * _EMU
    size = f'<a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/>'
    child = f'<a:chOff x="0" y="0"/><a:chExt cx="{width}" cy="{height}"/>'
    return (
        f'<xdr:twoCellAnchor xmlns:xdr="{_SHEET_DRAWING}" xmlns:a="{_DRAWING}" editAs="oneCell">'
        f"<xdr:from>{_corner(column_index_from_string(first) - 1, top - 1)}</xdr:from>"
        f"<xdr:to>{_corner(column_index_from_string(last), bottom)}</xdr:to>"
        '<xdr:grpSp><xdr:nvGrpSpPr><xdr:cNvPr id="101" name="Network" '
        'descr="The network with its inputs, weights and targets at iteration 0"/><xdr:cNvGrpSpPr/></xdr:nvGrpSpPr>'
        f"<xdr:grpSpPr><a:xfrm>{size}{child}</a:xfrm></xdr:grpSpPr>{shapes}</xdr:grpSp><xdr:clientData/></xdr:twoCellAnchor>"
    )


def _corner(column: int, row: int) -> str:
    return f"<xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff>"
