"""The pictures of Part 1: the network with its values, and the error curves."""

import math

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from backprop.network import TOTAL_ERROR
from reports.formats import counted, listing, percent, short, significant
from reports.learning_rates import Comparison, Curve
from reports.theme import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    POWERS_OF_TEN,
    RULE,
    SERIES,
    Drawing,
    canvas,
    frame_of,
    label_ends,
    plot_area,
    themed,
    without_minor_ticks,
)
from reports.view_backprop import BackpropView

_WIDTH, _HEIGHT = 760, 330
_ROWS = (92, 238)
_INPUT_X, _ERROR_X, _TOTAL_X = 40, 612, 708
_NEURON_X = (236, 456)
_NEURON = (128, 62)
_ERROR = (70, 52)


def network_drawing(view: BackpropView) -> Drawing:
    """Draw the 2-2-2 network with its starting values, and what iteration 0 computes in each neuron."""
    with themed():
        figure = canvas(_WIDTH, _HEIGHT)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, _WIDTH), ylim=(_HEIGHT, 0))
        axes.axis("off")
        _draw_edges(axes, view)
        _draw_inputs(axes, view)
        _draw_neurons(axes, view)
        _draw_errors(axes, view)
    network = view.preset.network
    weights = ", ".join(f"{name} = {short(view.preset.values[name])}" for name in network.weights)
    description = (
        f"From left to right: the inputs {listing(network.inputs)}; the hidden neurons, each with its net input and "
        f"its output; the output neurons; the errors against the targets; their sum {TOTAL_ERROR}. "
        f"Each neuron is joined to all of the layer before. Weights: {weights}. "
        f"Iteration 0 computes {', '.join(f'{name} = {_value(view, name)}' for name in _computed(view))}."
    )
    return Drawing("network", "The network and its starting values", description, figure)


def _computed(view: BackpropView) -> tuple[str, ...]:
    """Name what the drawing shows beside the starting values, from left to right."""
    network = view.preset.network
    neurons = [name for layer in network.layers for neuron in layer for name in (neuron.name, neuron.activation)]
    return (*neurons, *network.errors, TOTAL_ERROR)


def _draw_edges(axes: Axes, view: BackpropView) -> None:
    starts: float = _INPUT_X + 26
    for x, layer in zip(_NEURON_X, view.preset.network.layers, strict=True):
        for row, neuron in zip(_ROWS, layer, strict=True):
            for source_row, weight in zip(_ROWS, neuron.weights, strict=True):
                _draw_edge(axes, (starts, source_row), (x - _NEURON[0] / 2, row), weight, view)
        starts = x + _NEURON[0] / 2
    for row in _ROWS:
        _draw_line(axes, (starts, row), (_ERROR_X - _ERROR[0] / 2, row))
        _draw_line(axes, (_ERROR_X + _ERROR[0] / 2, row), (_TOTAL_X, sum(_ROWS) / 2))


def _draw_edge(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], weight: str, view: BackpropView
) -> None:
    _draw_line(axes, start, end)
    share = 0.5 if start[1] == end[1] else 0.27
    x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    ground = {"boxstyle": "round,pad=0.2", "facecolor": PAPER, "edgecolor": "none"}
    text = f"{weight} = {short(view.preset.values[weight])}"
    axes.text(x, y, text, color=ACCENT, ha="center", va="center", fontsize=11.5, bbox=ground)


def _draw_line(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.plot([start[0], end[0]], [start[1], end[1]], color=MUTED, linewidth=1.1, zorder=0)


def _draw_inputs(axes: Axes, view: BackpropView) -> None:
    for row, name in zip(_ROWS, view.preset.network.inputs, strict=True):
        axes.add_patch(Circle((_INPUT_X, row), 26, facecolor=PAPER, edgecolor=INK, linewidth=1.3))
        _write(axes, _INPUT_X, row - 7, name, 12.5)
        _write(axes, _INPUT_X, row + 9, short(view.preset.values[name]), 11, MUTED)
    _write(axes, _INPUT_X, 28, "Inputs", 11, MUTED)


def _draw_neurons(axes: Axes, view: BackpropView) -> None:
    for x, layer, title in zip(_NEURON_X, view.preset.network.layers, ("Hidden layer", "Output layer"), strict=True):
        _write(axes, x, 28, title, 11, MUTED)
        for row, neuron in zip(_ROWS, layer, strict=True):
            _draw_box(axes, x, row, _NEURON)
            axes.plot([x, x], [row - _NEURON[1] / 2, row + _NEURON[1] / 2], color=RULE, linewidth=1)
            for offset, name, sign in ((-32, neuron.name, "sum"), (32, neuron.activation, "σ")):
                _write(axes, x + offset, row - 17, sign, 10, MUTED)
                _write(axes, x + offset, row, name, 12.5)
                _write(axes, x + offset, row + 18, _value(view, name), 10.5, MUTED)
            if neuron.bias:
                text = f"{neuron.bias} = {short(view.preset.values[neuron.bias])}"
                _write(axes, x, row + 46, text, 11, ACCENT)


def _draw_errors(axes: Axes, view: BackpropView) -> None:
    network = view.preset.network
    for row, name, target in zip(_ROWS, network.errors, network.targets, strict=True):
        _draw_box(axes, _ERROR_X, row, _ERROR)
        _write(axes, _ERROR_X, row - 9, name, 12.5)
        _write(axes, _ERROR_X, row + 11, _value(view, name), 10.5, MUTED)
        _write(axes, _ERROR_X, row + 42, f"{target} = {short(view.preset.values[target])}", 11, ACCENT)
    middle = sum(_ROWS) / 2
    _draw_box(axes, _TOTAL_X, middle, (84, _ERROR[1]))
    _write(axes, _TOTAL_X, middle - 9, TOTAL_ERROR, 12.5)
    _write(axes, _TOTAL_X, middle + 11, _value(view, TOTAL_ERROR), 10.5, MUTED)
    _write(axes, (_ERROR_X + _TOTAL_X) / 2, 28, "Errors", 11, MUTED)


def _draw_box(axes: Axes, x: float, y: float, size: tuple[float, float]) -> None:
    width, height = size
    style = "round,pad=0,rounding_size=12"
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, style, facecolor=PAPER, edgecolor=INK, linewidth=1.3))


def _write(axes: Axes, x: float, y: float, text: str, size: float, colour: str = INK) -> None:
    axes.text(x, y, text, fontsize=size, color=colour, ha="center", va="center")


def _value(view: BackpropView, name: str) -> str:
    return significant(float(view.trace.column(name)[0]), 4)


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
    description = f"Total error over {counted(comparison.iterations, 'iteration')}, {scale} scale. " + "; ".join(
        _in_words(curve) for curve in comparison.curves
    )
    return Drawing(name, f"Total error for each learning rate, {scale} scale", description + ".", figure, frame)


def curve_drawing(comparison: Comparison, curve: Curve) -> Drawing:
    """Draw the error curve of one learning rate, on the scale that all of them share."""
    colour = curve_colours(comparison)[comparison.curves.index(curve)]
    with themed():
        figure = canvas(640, 340)
        axes = plot_area(figure, 104, 92)
        _scale(axes, comparison, logarithmic=False)
        label_ends(axes, _plot(axes, curve, colour))
    title = f"Total error at {curve.label}"
    return Drawing(curve.picture, title, _in_words(curve) + ".", figure)


def curve_colours(comparison: Comparison) -> list[str]:
    """Give each of the asked curves a colour of the series, and one of the reader's own the ink."""
    series = iter(SERIES)
    return [next(series, INK) if curve.learning_rate in comparison.asked else INK for curve in comparison.curves]


def _scale(axes: Axes, comparison: Comparison, logarithmic: bool) -> None:
    axes.set_xlim(0, max(comparison.iterations - 1, 1))
    axes.set_xlabel("iteration")
    axes.set_ylabel("total error" + (", logarithmic" if logarithmic else ""))
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


def _plot(axes: Axes, curve: Curve, colour: str) -> list[tuple[float, float, str, str]]:
    """Plot one curve; give its label and where it belongs."""
    lowest, highest = axes.get_ylim()
    floor = lowest if axes.get_yscale() == "log" else -math.inf
    points = [(i, max(error, floor)) for i, error in enumerate(curve.errors) if math.isfinite(error)]
    if not points:
        return []
    axes.plot(*zip(*points, strict=True), color=colour, marker="o" if len(points) == 1 else None)
    x, y = points[-1]
    return [(x, min(y, highest), curve.label, colour)]


def _in_words(curve: Curve) -> str:
    start = f"{curve.label} starts at {significant(curve.first, 4)}"
    if curve.overflow is not None:
        return f"{start} and overflows at iteration {curve.overflow}"
    return f"{start} and ends at {significant(curve.final, 4)}, {percent(curve.share, 2)} of it"
