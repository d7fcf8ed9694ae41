"""Error curves as native charts, with the values cached so that they show before anything recalculates."""

import math
from dataclasses import dataclass
from typing import Any

from openpyxl.chart import ScatterChart
from openpyxl.chart.axis import ChartLines, NumericAxis
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import SeriesLabel, XYSeries
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from backprop.simulate import Floats

_CURVE_WIDTH = 19_000  # EMU; 12,700 are one point
_MARKED = 6
"""How many points of a curve carry its marker: enough to tell it from others, few enough to see the line."""
LOOKS: tuple[tuple[str, Any, Any], ...] = (
    ("1F4E9E", "solid", "circle"),
    ("B58900", "dash", "square"),
    ("6B4A00", "sysDot", "triangle"),
    ("0094A8", "lgDash", "diamond"),
    ("555555", "dashDot", "x"),
    ("111111", "lgDashDot", "plus"),
)
"""Colour, dash and marker of each curve; the colours stay apart for colour-blind readers, and from white."""


@dataclass(frozen=True)
class ErrorCurve:
    """One line of a chart: the cells of its numbers, and the numbers to cache."""

    cells: str
    values: Floats
    """NaN leaves a gap."""
    name: str
    name_cell: str | None = None
    """A cell that the name is read from; None for a fixed name."""


def error_chart(
    title: str, curves: list[ErrorCurve], iterations: str, corners: tuple[str, str], *, logarithmic: bool = False
) -> ScatterChart:
    """Draw E_total against the iteration, from one corner cell to the other (both inside).

    `iterations` is the range that holds the iteration numbers.
    """
    chart = ScatterChart()
    chart.style, chart.scatterStyle = 2, "lineMarker"
    chart.title = _title(title, 1200)
    _lay_out_axes(chart, len(curves[0].values), logarithmic=logarithmic)
    chart.legend = Legend(legendPos="r") if len(curves) > 1 else None
    chart.series = [_series(index, curve, iterations) for index, curve in enumerate(curves)]
    anchor = TwoCellAnchor(editAs="oneCell", _from=_marker(corners[0], 0), to=_marker(corners[1], 1))
    chart.anchor = anchor  # type: ignore[assignment]  # the stubs know its text form only
    return chart


def _lay_out_axes(chart: ScatterChart, count: int, *, logarithmic: bool) -> None:
    iterations, errors = chart.x_axis, chart.y_axis
    assert isinstance(iterations, NumericAxis)
    for axis, title in ((iterations, "iteration"), (errors, "E_total")):
        axis.delete = False  # some versions of Excel hide the axes otherwise
        axis.title = _title(title, 900)
        axis.number_format = "General"
        axis.txPr = RichText(
            bodyPr=RichTextProperties(rot=0, vert="horz"),
            p=[Paragraph(pPr=ParagraphProperties(defRPr=CharacterProperties(sz=900)))],
        )
        axis.majorTickMark = "out"
    iterations.scaling.min, iterations.scaling.max = 0, max(count - 1, 1)
    iterations.majorUnit, iterations.majorGridlines = _step(count), None
    if logarithmic:
        errors.scaling.logBase = 10
        errors.number_format = "0E+00"
        errors.tickLblPos = iterations.tickLblPos = "low"
    else:
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


def _series(index: int, curve: ErrorCurve, iterations: str) -> XYSeries:
    numbers = [NumVal(idx=i, v=value) for i, value in enumerate(curve.values.tolist()) if math.isfinite(value)]
    count = len(curve.values)
    cache = NumData(formatCode="General", ptCount=count, pt=numbers)
    counted = NumData(formatCode="General", ptCount=count, pt=[NumVal(idx=i, v=i) for i in range(count)])
    series = XYSeries(idx=index, order=index)
    series.xVal = AxDataSource(numRef=NumRef(f=iterations, numCache=counted))
    series.yVal = NumDataSource(numRef=NumRef(f=curve.cells, numCache=cache))
    series.tx = _name(curve)
    series.smooth = False
    colour, dash, symbol = LOOKS[index % len(LOOKS)]
    line = LineProperties(solidFill=colour, prstDash=dash, w=_CURVE_WIDTH, cap="rnd")
    series.spPr, series.marker = GraphicalProperties(ln=line), Marker(symbol="none")
    if curve.name_cell is not None:
        # A little apart from those of the other curves, so that none hides another.
        apart = (index + 1) / (len(LOOKS) + 1)
        marked = sorted({round((part + apart) * (count - 1) / _MARKED) for part in range(_MARKED)})
        look = GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill=colour))
        series.dPt = [
            DataPoint(idx=point, marker=Marker(symbol=symbol, size=7, spPr=look), spPr=GraphicalProperties(ln=line))
            for point in marked
        ]
    return series


def _name(curve: ErrorCurve) -> SeriesLabel:
    if curve.name_cell is None:
        return SeriesLabel(v=curve.name)
    cache = StrData(ptCount=1, pt=[StrVal(idx=0, v=curve.name)])
    return SeriesLabel(strRef=StrRef(f=curve.name_cell, strCache=cache))
