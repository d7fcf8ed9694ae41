"""The pictures of Part 1: the network with its values, and the error curves, into which the page's script draws too."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyBboxPatch, Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from backprop.part1 import SEARCHED_ITERATIONS
from reports.drawings.theme import (
    ACCENT,
    CLASSES,
    INK,
    MUTED,
    PAPER,
    POWERS_OF_TEN,
    RULE,
    SERIES,
    Drawing,
    Frame,
    canvas,
    frame_of,
    label_ends,
    plot_area,
    themed,
    without_minor_ticks,
)
from reports.formats import short, significant
from reports.prose import prose
from reports.views.backprop import BackpropView
from reports.views.learning_rates import Comparison, LearningCurve
from reports.views.network_layout import Box, Wire


@dataclass(frozen=True)
class LiveCurve:
    """A run that the figures show."""

    label: str
    learning_rate: float
    colour: str
    """The word by which the style sheet knows its colour."""


@dataclass(frozen=True)
class LiveFigure:
    """A figure to draw into."""

    name: str
    frame: Frame


@dataclass(frozen=True)
class LiveComparison:
    """The error curves, slowest first, and the figures that show them."""

    iterations: int
    """Rows of a run, iteration 0 included."""
    searched: int
    """How many rows to search for the iteration at which the error has halved."""
    curves: tuple[LiveCurve, ...]
    figures: tuple[LiveFigure, ...]

    @property
    def data(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return asdict(self)


def network_drawing(view: BackpropView) -> Drawing:
    """Draw the 2-2-2 network with its starting values, and what iteration 0 computes in each neuron."""
    layout = view.explorer.layout
    with themed():
        figure = canvas(layout.width, layout.height)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, layout.width), ylim=(layout.height, 0))
        axes.axis("off")
        for wire in layout.wires:
            _draw_wire(axes, wire, view)
        for box in layout.boxes:
            _draw_box(axes, box, _value(view, box.key))
        for note in layout.notes:
            given = _value(view, note.value) if note.value else ""
            _write(axes, note.x, note.y, note.text + given, 11, ACCENT if given else MUTED)
    return Drawing("network", "The network and its starting values", prose("drawings.network", view), figure)


def _draw_wire(axes: Axes, wire: Wire, view: BackpropView) -> None:
    (x0, y0), (x1, y1) = wire.start, wire.end
    axes.plot([x0, x1], [y0, y1], color=MUTED, linewidth=1.1, zorder=0)
    if wire.label:
        # Only a label that stands on its line hides what is below it.
        ground = {"boxstyle": "round,pad=0.2", "facecolor": PAPER, "edgecolor": "none"} if wire.crossing else None
        text = f"{wire.key} = {_value(view, wire.key)}"
        axes.text(*wire.label, text, color=ACCENT, ha="center", va="center", fontsize=11.5, bbox=ground)


def _draw_box(axes: Axes, box: Box, value: str) -> None:
    if box.shape == "bare":
        _write(axes, box.x, box.y, f"{box.key} = {value}", 11, ACCENT)
        return
    if box.shape == "right":  # the left half has drawn the whole neuron
        axes.plot([box.left] * 2, [box.top, box.top + box.height], color=RULE, linewidth=1)
    else:
        axes.add_patch(_outline(box))
    middle = box.y + 4 if box.sign else box.y
    _write(axes, box.x, middle - 20, box.sign, 10, MUTED)
    _write(axes, box.x, middle - (2 if box.sign else 9), box.key, 12.5)
    _write(axes, box.x, middle + (17 if box.sign else 10), value, 10.5, MUTED)


def _outline(box: Box) -> Patch:
    if box.shape == "round":
        return Ellipse((box.x, box.y), box.width, box.height, facecolor=PAPER, edgecolor=INK, linewidth=1.3)
    width = box.width * (2 if box.shape == "left" else 1)
    style = "round,pad=0,rounding_size=12"
    return FancyBboxPatch((box.left, box.top), width, box.height, style, facecolor=PAPER, edgecolor=INK, linewidth=1.3)


def _write(axes: Axes, x: float, y: float, text: str, size: float, colour: str = INK) -> None:
    axes.text(x, y, text, fontsize=size, color=colour, ha="center", va="center")


def _value(view: BackpropView, name: str) -> str:
    """Format what the network starts with as it was chosen, and what iteration 0 computes with four digits."""
    given = view.preset.values.get(name)
    return significant(float(view.trace.column(name)[0]), 4) if given is None else short(given)


def comparison_drawing(comparison: Comparison, *, logarithmic: bool) -> Drawing:
    """Draw the error curves of all learning rates, each labelled where it ends."""
    name = "errors-logarithmic" if logarithmic else "errors-linear"
    with themed():
        figure = canvas(700, 400)
        axes = plot_area(figure, 104, 92)
        _scale(axes, comparison, logarithmic)
        ends = []
        for curve, colour in zip(comparison.curves, curve_colours(comparison), strict=True):
            ends += _plot(axes, curve, colour)
        label_ends(axes, ends)
        frame = frame_of(axes)
    scale = "logarithmic" if logarithmic else "linear"
    description = prose("drawings.comparison", comparison, scale)
    return Drawing(name, f"Total error for each learning rate, {scale} scale", description, figure, frame)


def curve_drawing(comparison: Comparison, curve: LearningCurve) -> Drawing:
    """Draw the error curve of one learning rate, on the scale that all of them share."""
    colour = curve_colours(comparison)[comparison.curves.index(curve)]
    with themed():
        figure = canvas(640, 340)
        axes = plot_area(figure, 104, 92)
        _scale(axes, comparison, logarithmic=False)
        label_ends(axes, _plot(axes, curve, colour))
    title = f"Total error at {curve.label}"
    return Drawing(curve.picture, title, prose("drawings.curve", curve), figure)


def curve_colours(comparison: Comparison) -> list[str]:
    """Return each curve's colour: of the series for those that the exercise asks for, else the ink."""
    series = iter(SERIES)
    return [next(series, INK) if curve.learning_rate in comparison.asked else INK for curve in comparison.curves]


def _scale(axes: Axes, comparison: Comparison, logarithmic: bool) -> None:
    axes.set_xlim(0, max(comparison.iterations - 1, 1))
    axes.set_xlabel("iteration")
    axes.set_ylabel("total error E_total" + (", logarithmic" if logarithmic else ""))
    # So far to the left that numbers don't reach it even in the larger type of a phone.
    unit = axes.get_position().width / axes.bbox.width
    axes.yaxis.set_label_coords(30 * unit, 0.5, transform=axes.figure.transFigure)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    seen = [error for curve in comparison.curves for error in curve.errors if math.isfinite(error) and error > 0]
    if logarithmic:
        axes.set_yscale("log")
        # Rounding errors are no errors of the network: what lies below a billionth of the largest is not shown.
        axes.set_ylim(max(min(seen) / 2, max(seen) * 1e-9), max(seen) * 2)
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_major_formatter(POWERS_OF_TEN)
        without_minor_ticks(axes)
    else:
        axes.set_ylim(0, max(seen) * 1.04)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))


def _plot(axes: Axes, curve: LearningCurve, colour: str) -> list[tuple[float, float, str, str]]:
    """Plot one curve; return its label and where it belongs."""
    lowest, highest = axes.get_ylim()
    floor = lowest if axes.get_yscale() == "log" else -math.inf
    points = [(i, max(error, floor)) for i, error in enumerate(curve.errors) if math.isfinite(error)]
    if not points:
        return []
    axes.plot(*zip(*points, strict=True), color=colour, marker="o" if len(points) == 1 else None)
    x, y = points[-1]
    return [(x, min(y, highest), curve.label, colour)]


def live_comparison(view: BackpropView, drawings: tuple[Drawing, ...]) -> LiveComparison:
    """Collect what the script needs for the drawings that have a frame."""
    comparison = view.comparison
    curves = zip(comparison.curves, curve_colours(comparison), strict=True)
    return LiveComparison(
        iterations=comparison.iterations,
        searched=SEARCHED_ITERATIONS,
        curves=tuple(LiveCurve(curve.label, curve.learning_rate, CLASSES[colour]) for curve, colour in curves),
        figures=tuple(LiveFigure(drawing.name, drawing.frame) for drawing in drawings if drawing.frame),
    )
