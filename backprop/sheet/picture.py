"""Drawing of the network: native shapes for what never changes, and cells between them for its numbers.

Text links of shapes are followed by few programs besides Excel; formulas in cells by all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from openpyxl.worksheet.worksheet import Worksheet

from backprop.network import TOTAL_ERROR, Network
from backprop.sheet import style
from backprop.sheet.book import Book
from backprop.sheet.layout import PICTURE_ROW, TablePlace, header
from backprop.sheet.package import DRAWING, SHEET_DRAWING
from backprop.sheet.table import Run

_EMU = 9525  # one pixel at 96 dpi
_COLUMN, _ROW = 80, 20  # pixels of a cell
_TOP, _MIDDLE, _BOTTOM = 50, 100, 150
"""Where the two neurons of a layer and the error stand, in pixels below the picture's upper edge."""

_INPUT, _NET, _ACTIVATION, _OUTPUT = "4472C4", "A9D18E", "548235", "9DC3E6"
_DARK, _WHITE, _ERROR, _TARGET, _LINE = "000000", "FFFFFF", "C00000", "00703C", "5B7DB8"


@dataclass(frozen=True)
class Node:
    """An ellipse with a name; x and y are its centre in pixels."""

    name: str
    x: float
    y: float
    fill: str
    ink: str = _DARK
    radius: float = 18


@dataclass(frozen=True)
class Caption:
    """The cells that show a quantity's number with its name, and their colour; row 0 is the picture's first."""

    name: str
    columns: str
    row: int
    ink: str = _DARK


def draw_network(book: Book, sheet: Worksheet, place: TablePlace, run: Run) -> None:
    """Draw a network of one hidden layer, two neurons a layer, over the picture's cells, and fill these."""
    network = run.preset.network
    nodes = {node.name: node for node in _nodes(network)}
    shapes = _Shapes()
    for start, end in _edges(network):
        shapes.arrow(nodes[start], nodes[end])
    for node in nodes.values():
        shapes.node(node)
    book.set_shapes(sheet, "".join(shapes.parts))
    for caption in _captions(network):
        first, row = sheet[f"{caption.columns[0]}{PICTURE_ROW + caption.row}"], PICTURE_ROW + caption.row
        is_typed = caption.name in run.preset.values
        book.set_formula(first, f"={place.start(caption.name)}", run.start[caption.name])
        style.make_caption(first, header(caption.name), caption.ink, is_typed=is_typed)
        if len(caption.columns) > 1:
            sheet.merge_cells(f"{caption.columns[0]}{row}:{caption.columns[-1]}{row}")


def _nodes(network: Network) -> Iterator[Node]:
    heights = (_TOP, _BOTTOM)
    hidden, output = network.layers
    for y, name in zip(heights, network.inputs, strict=True):
        yield Node(name, 40, y, _INPUT, _WHITE)
    for y, neuron in zip(heights, hidden, strict=True):
        yield Node(neuron.name, 260, y, _NET)
        yield Node(neuron.activation, 314, y, _ACTIVATION, _WHITE)
    for y, neuron in zip(heights, output, strict=True):
        yield Node(neuron.name, 496, y, _OUTPUT)
        yield Node(neuron.activation, 550, y, _INPUT, _WHITE)
    yield Node(TOTAL_ERROR, 674, _MIDDLE, _ERROR, _WHITE, radius=34)


def _captions(network: Network) -> Iterator[Caption]:
    """Yield the numbers that are shown: above straight edges and in the angles beside crossing ones."""
    for row, name in zip((0, 9), network.inputs, strict=True):
        yield Caption(name, "A", row, _INPUT)
    for columns, biases, layer in zip(("BC", "EF"), ("D", "G"), network.layers, strict=True):
        weights = [weight for neuron in layer for weight in neuron.weights]
        yield from (Caption(weight, columns, row) for weight, row in zip(weights, (1, 3, 6, 8), strict=True))
        names = dict.fromkeys(neuron.bias for neuron in layer if neuron.bias)
        yield from (Caption(bias, biases, row, _TARGET) for bias, row in zip(names, (4, 5), strict=False))
    for row, target in zip((0, 9), network.targets, strict=True):
        yield Caption(target, "G", row, _TARGET)
    for row, error in zip((1, 8), network.errors, strict=True):
        yield Caption(error, "HI", row, _ERROR)
    yield Caption(TOTAL_ERROR, "HI", 7, _ERROR)


def _edges(network: Network) -> Iterator[tuple[str, str]]:
    sources: Iterable[str] = network.inputs
    for layer in network.layers:
        yield from ((source, neuron.name) for neuron in layer for source in sources)
        yield from ((neuron.name, neuron.activation) for neuron in layer)
        sources = [neuron.activation for neuron in layer]
    yield from ((activation, TOTAL_ERROR) for activation in sources)


class _Shapes:
    """DrawingML anchors, each shape its own: some programs lose shapes that are grouped."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def node(self, node: Node) -> None:
        """Draw an ellipse with its name."""
        r, text = node.radius, header(node.name)
        height = min(r, 22)
        fill = f"<a:solidFill>{_colour(node.fill)}</a:solidFill>"
        character = f'<a:rPr lang="en-US" sz="900" b="1"><a:solidFill>{_colour(node.ink)}</a:solidFill>'
        self._anchor(
            (node.x - r, node.y - height, 2 * r, 2 * height),
            "sp",
            f'<xdr:nvSpPr><xdr:cNvPr id="{self._number()}" name={quoteattr(text)}/><xdr:cNvSpPr/></xdr:nvSpPr>',
            f'<a:prstGeom prst="ellipse"><a:avLst/></a:prstGeom>{fill}<a:ln><a:noFill/></a:ln>',
            '<xdr:txBody><a:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"/><a:lstStyle/>'
            f'<a:p><a:pPr algn="ctr"/><a:r>{character}<a:latin typeface="Calibri"/></a:rPr>'
            f"<a:t>{escape(text)}</a:t></a:r></a:p></xdr:txBody>",
        )

    def arrow(self, start: Node, end: Node) -> None:
        """Draw an arrow from the right of one node to the left of another."""
        x1, x2 = start.x + start.radius, end.x - end.radius
        name = quoteattr(f"{header(start.name)} to {header(end.name)}")
        self._anchor(
            (x1, min(start.y, end.y), x2 - x1, abs(end.y - start.y)),
            "cxnSp",
            f'<xdr:nvCxnSpPr><xdr:cNvPr id="{self._number()}" name={name}/><xdr:cNvCxnSpPr/></xdr:nvCxnSpPr>',
            '<a:prstGeom prst="line"><a:avLst/></a:prstGeom>'
            f'<a:ln w="9525"><a:solidFill>{_colour(_LINE)}</a:solidFill><a:tailEnd type="triangle"/></a:ln>',
            flip=' flipV="1"' if end.y < start.y else "",
        )

    def _number(self) -> int:
        # The sheet's chart takes the first numbers.
        return len(self.parts) + 101

    def _anchor(self, box: tuple[float, ...], kind: str, names: str, look: str, text: str = "", flip: str = "") -> None:
        x, y, width, height = box
        off = f'<a:off x="{round(x * _EMU)}" y="{round((y + (PICTURE_ROW - 1) * _ROW) * _EMU)}"/>'
        extent = f'<a:ext cx="{round(width * _EMU)}" cy="{round(height * _EMU)}"/>'
        attributes = ' macro=""' + (' textlink=""' if kind == "sp" else "")
        self.parts.append(
            f'<xdr:twoCellAnchor xmlns:xdr="{SHEET_DRAWING}" xmlns:a="{DRAWING}" editAs="oneCell">'
            f"<xdr:from>{_corner(x, y)}</xdr:from><xdr:to>{_corner(x + width, y + height)}</xdr:to>"
            f"<xdr:{kind}{attributes}>{names}<xdr:spPr><a:xfrm{flip}>{off}{extent}</a:xfrm>{look}</xdr:spPr>{text}"
            f"</xdr:{kind}><xdr:clientData/></xdr:twoCellAnchor>"
        )


def _colour(value: str) -> str:
    return f'<a:srgbClr val="{value}"/>'


def _corner(x: float, y: float) -> str:
    (column, right), (row, down) = divmod(x, _COLUMN), divmod(y, _ROW)
    return (
        f"<xdr:col>{column:.0f}</xdr:col><xdr:colOff>{round(right * _EMU)}</xdr:colOff>"
        f"<xdr:row>{row + PICTURE_ROW - 1:.0f}</xdr:row><xdr:rowOff>{round(down * _EMU)}</xdr:rowOff>"
    )
