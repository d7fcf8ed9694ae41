"""Formulas as cells share them: the text with references as distances, the same in every cell of a filled column."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Pattern:
    """A formula whose relative references move with the cell; one object for each sheet and pattern."""

    sheet: str

    def text(self, row: int, column: int) -> str:
        """Return the formula as it is written in a cell, with its leading =."""
        raise NotImplementedError
