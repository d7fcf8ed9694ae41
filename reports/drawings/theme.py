"""How all figures look: colours that the style sheet knows by name, type, axes."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from reports.drawings.svg import inline_svg
from reports.formats import superscript

INK, MUTED, RULE, PAPER, ACCENT, GOAL = "#1c1e21", "#5a6068", "#d9dce0", "#ffffff", "#0b5fa5", "#a3301c"
SERIES = ("#2f62ad", "#17767a", "#3f7425", "#856200", "#b04a10", "#a8203a")
"""From cool to warm, for quantities that rise; each has 4.5:1 on paper, so that its label can wear it."""
CLASSES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    PAPER: "paper",
    ACCENT: "accent",
    GOAL: "goal",
    **{colour: f"c{number}" for number, colour in enumerate(SERIES)},
}
_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelpad": 14,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
}
_DPI = 72
_PICTURE_DPI = 150
_LABEL_DISTANCE = 20


@dataclass(frozen=True)
class Frame:
    """Where a chart's axes lie in its SVG and what they span, so that the page can draw into it."""

    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    logarithmic: bool


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that stand for it."""

    name: str
    title: str
    description: str
    figure: Figure
    frame: Frame | None = None
    """Of a chart into which the page draws."""

    def svg(self) -> Markup:
        """Render an <svg> element whose colours follow the page's scheme."""
        return inline_svg(self.figure, self.name, self.title, self.description, CLASSES)

    def png(self) -> bytes:
        """Render a picture on white, the same bytes every time."""
        content = io.BytesIO()
        self.figure.savefig(content, format="png", dpi=_PICTURE_DPI, facecolor=PAPER, metadata={"Software": None})
        return content.getvalue()


@contextmanager
def themed() -> Iterator[None]:
    """Draw with the page's look."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def canvas(width: float, height: float) -> Figure:
    """Make a figure of a size in the units of its SVG, which are 1/72 of an inch."""
    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)


def plot_area(figure: Figure, left: float, right: float, bottom: float = 44, top: float = 16) -> Axes:
    """Add axes with margins in SVG units."""
    width, height = figure.get_size_inches() * _DPI
    return figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def frame_of(axes: Axes) -> Frame:
    """Read where axes that are drawn to the end lie, in SVG units, and what they span."""
    box, share = axes.bbox, axes.get_position()
    height = box.height / share.height
    left, right, top, bottom = (round(float(side), 3) for side in (box.x0, box.x1, height - box.y1, height - box.y0))
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    logarithmic = axes.get_yscale() == "log"
    return Frame(left, right, top, bottom, (float(x_low), float(x_high)), (float(y_low), float(y_high)), logarithmic)


def without_minor_ticks(axes: Axes) -> None:
    """Label a logarithmic axis at its major ticks alone."""
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def spread(places: Sequence[float], distance: float, lowest: float, highest: float) -> list[float]:
    """Move labels upwards until neighbours are `distance` apart, and down again where they would leave the top."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    floor = lowest
    for place in order:
        moved[place] = max(moved[place], floor)
        floor = moved[place] + distance
    ceiling = highest
    for place in reversed(order):
        moved[place] = min(moved[place], ceiling)
        ceiling = moved[place] - distance
    return moved


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write labels (x, y, text, colour) to the right of where curves end, moved apart where they would overlap."""
    if not ends:
        return
    pixels = [axes.transData.transform((x, y)) for x, y, _, _ in ends]
    box = axes.bbox
    heights = spread([float(y) for _, y in pixels], _LABEL_DISTANCE, box.y0 + 2, box.y1)
    for (x, y, text, colour), height in zip(ends, heights, strict=True):
        offset = height - float(axes.transData.transform((x, y))[1])
        axes.annotate(
            text, (x, y), (10, offset), textcoords="offset points", color=colour, va="center", annotation_clip=False
        )


def power_of_ten(value: float, _: int | None = None) -> str:
    """Label a logarithmic axis: 10⁻³."""
    return "10" + superscript(int(f"{value:e}".partition("e")[2]))


POWERS_OF_TEN = FuncFormatter(power_of_ten)
