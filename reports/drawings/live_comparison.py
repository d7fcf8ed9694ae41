"""What the page's script needs to read the error curves, and to draw one of the reader's own among them."""

from dataclasses import asdict, dataclass
from typing import Any

from reports.drawings.backprop import curve_colours
from reports.drawings.theme import CLASSES, Drawing, Frame
from reports.views.backprop import BackpropView
from reports.views.learning_rates import SEARCHED_ITERATIONS


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
