"""Error curves as native charts, with the values cached so that they show before anything recalculates."""

import math
from dataclasses import dataclass

from openpyxl.chart import LineChart
from openpyxl.chart.axis import ChartLines, TextAxis
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from backprop.simulate import Floats

_CURVE_WIDTH = 22_000  # EMU; 12,700 are one point
COLOURS = ("1F4E9E", "D1495B", "2E8B57", "E08E0B", "7B4BA6", "0F8B8D")


@dataclass(frozen=True)
class ErrorCurve:
    """One line of a chart: the cells of its numbers, and the numbers to cache."""

    cells: str
    values: Floats
    """NaN leaves a gap."""
    name: str
    name_cell: str | None = None
    """A cell that the name is read from; None for a fixed name."""


def error_chart(title: str, curves: list[ErrorCurve], iterations: str, corners: tuple[str, str]) -> LineChart:
    """Draw E_total against the iteration, from one corner cell to the other (both inside).

    `iterations` is the range that holds the iteration numbers.
    """
    chart = LineChart()
    chart.style = 2
    chart.title = _title(title, 1200)
    _lay_out_axes(chart, len(curves[0].values))
    chart.legend = Legend(legendPos="r") if len(curves) > 1 else None
    chart.series = [_series(index, curve, iterations) for index, curve in enumerate(curves)]
    anchor = TwoCellAnchor(editAs="oneCell", _from=_marker(corners[0], 0), to=_marker(corners[1], 1))
    chart.anchor = anchor  # type: ignore[assignment]  # the stubs know its text form only
    return chart


def _lay_out_axes(chart: LineChart, count: int) -> None:
    iterations, errors = chart.x_axis, chart.y_axis
    for axis, title in ((iterations, "iteration"), (errors, "E_total")):
        axis.delete = False  # some versions of Excel hide the axes otherwise
        axis.title = _title(title, 900)
        axis.number_format = "General"
    assert isinstance(iterations, TextAxis)
    iterations.tickLblSkip = iterations.tickMarkSkip = _step(count)
    errors.scaling.min = 0
    errors.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill="D9D9D9")))


def _title(text: str, size: int) -> Title:
    character = CharacterProperties(sz=size, b=True)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=character), r=[RegularTextRun(rPr=character, t=text)])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _step(count: int) -> int:
    """Return the round distance at which about ten iterations are labelled."""
    size: int = 10 ** math.floor(math.log10(max(count, 10) / 10))
    return next(step * size for step in (1, 2, 5, 10) if step * size * 10 >= count)


def _marker(cell: str, inside: int) -> AnchorMarker:
    letters, row = coordinate_from_string(cell)
    return AnchorMarker(col=column_index_from_string(letters) - 1 + inside, row=row - 1 + inside)


def _series(index: int, curve: ErrorCurve, iterations: str) -> Series:
    numbers = [NumVal(idx=i, v=value) for i, value in enumerate(curve.values.tolist()) if math.isfinite(value)]
    count = len(curve.values)
    cache = NumData(formatCode="General", ptCount=count, pt=numbers)
    series = Series(idx=index, order=index, val=NumDataSource(numRef=NumRef(f=curve.cells, numCache=cache)))
    counted = NumData(formatCode="General", ptCount=count, pt=[NumVal(idx=i, v=i) for i in range(count)])
    series.cat = AxDataSource(numRef=NumRef(f=iterations, numCache=counted))
    series.tx = _name(curve)
    series.smooth = False
    series.marker = Marker(symbol="none")
    line = LineProperties(solidFill=COLOURS[index % len(COLOURS)], w=_CURVE_WIDTH, cap="rnd")
    series.spPr = GraphicalProperties(ln=line)
    return series


def _name(curve: ErrorCurve) -> SeriesLabel:
    if curve.name_cell is None:
        return SeriesLabel(v=curve.name)
    cache = StrData(ptCount=1, pt=[StrVal(idx=0, v=curve.name)])
    return SeriesLabel(strRef=StrRef(f=curve.name_cell, strCache=cache))
