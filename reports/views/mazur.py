"""Mazur's example of 2015, the same network with biases: its printed figures and ours."""

from dataclasses import dataclass
from typing import Literal

from backprop.network import TOTAL_ERROR
from backprop.part1 import Part1

Updating = Literal["simultaneous", "sequential", "both", "neither"]

# The text counts the last error among “10,000 times”; it is the one after 9,999 updates.
_PRINTED = (
    (TOTAL_ERROR, 0, "0.298371109"),
    (TOTAL_ERROR, 1, "0.291027924"),
    (TOTAL_ERROR, 9_999, "0.0000351085"),
    ("a_o1", 10_000, "0.015912196"),
    ("a_o2", 10_000, "0.984065734"),
)


@dataclass(frozen=True)
class PrintedFigure:
    """A figure as the text prints it, and what both ways of updating give."""

    column: str
    updates: int
    printed: str
    simultaneous: float
    sequential: float

    @property
    def decimals(self) -> int:
        """Return how many decimals are printed."""
        return len(self.printed.partition(".")[2])

    @property
    def agrees_with(self) -> Updating:
        """Return the way of updating that gives the printed figure."""
        simultaneous, sequential = (
            f"{value:.{self.decimals}f}" == self.printed for value in (self.simultaneous, self.sequential)
        )
        if simultaneous:
            return "both" if sequential else "simultaneous"
        return "sequential" if sequential else "neither"


@dataclass(frozen=True)
class MazurView:
    """All printed figures."""

    figures: tuple[PrintedFigure, ...]

    def count(self, updating: Updating) -> int:
        """Count the figures that only one way of updating gives."""
        return sum(figure.agrees_with == updating for figure in self.figures)


def view_mazur(part1: Part1) -> MazurView:
    """Read the figures that the text prints from both runs."""
    simultaneous, sequential = part1.mazur
    return MazurView(
        tuple(
            PrintedFigure(
                column,
                updates,
                printed,
                float(simultaneous.column(column)[updates]),
                float(sequential.column(column)[updates]),
            )
            for column, updates, printed in _PRINTED
        )
    )
