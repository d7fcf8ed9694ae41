"""The widely read example of 2015, which has the same network with biases: its printed figures against ours."""

from dataclasses import dataclass

from backprop.derivation import derive
from backprop.network import PRESETS, TOTAL_ERROR
from backprop.simulate import Trace, simulate
from reports.formats import listing

SOURCE = "Matt Mazur, “A Step by Step Backpropagation Example”, 2015"
SIMULTANEOUS, SEQUENTIAL = "simultaneous", "sequential"


@dataclass(frozen=True)
class _Printed:
    """A figure as that text prints it, and the trace's column and row that it should be."""

    what: str
    column: str
    updates: int
    figure: str


# The text counts the last error among “10,000 times”; it is the one after 9,999 updates.
_PRINTED = (
    _Printed("total error before training", TOTAL_ERROR, 0, "0.298371109"),
    _Printed("total error after one update", TOTAL_ERROR, 1, "0.291027924"),
    _Printed("total error after 9,999 updates", TOTAL_ERROR, 9_999, "0.0000351085"),
    _Printed("first output after 10,000 updates", "a_o1", 10_000, "0.015912196"),
    _Printed("second output after 10,000 updates", "a_o2", 10_000, "0.984065734"),
)


@dataclass(frozen=True)
class PrintedFigure:
    """A printed figure beside both of ours, rounded as it is."""

    what: str
    printed: str
    simultaneous: str
    sequential: str

    @property
    def agrees_with(self) -> str:
        """Name the way of updating that gives the printed figure."""
        ways = {SIMULTANEOUS: self.simultaneous, SEQUENTIAL: self.sequential}
        found = [way for way, value in ways.items() if value == self.printed]
        return "both" if len(found) == 2 else listing(found) or "neither"


@dataclass(frozen=True)
class ElsewhereView:
    """All printed figures, and the numbers that differ between both ways of updating."""

    source: str
    figures: tuple[PrintedFigure, ...]

    def told_by(self, way: str) -> int:
        """Count the figures that only one way of updating gives."""
        return sum(figure.agrees_with == way for figure in self.figures)


def view_elsewhere() -> ElsewhereView:
    """Compute that example in both ways and round as its text does."""
    preset = PRESETS["mazur"]
    derivation, rows = derive(preset.network), max(printed.updates for printed in _PRINTED) + 1
    both = [
        simulate(derivation, preset, preset.learning_rate, rows, sequential=sequential) for sequential in (False, True)
    ]
    return ElsewhereView(SOURCE, tuple(_figure(printed, *both) for printed in _PRINTED))


def _figure(printed: _Printed, simultaneous: Trace, sequential: Trace) -> PrintedFigure:
    decimals = len(printed.figure.partition(".")[2])
    ours = (f"{trace.column(printed.column)[printed.updates]:.{decimals}f}" for trace in (simultaneous, sequential))
    return PrintedFigure(printed.what, printed.figure, *ours)
