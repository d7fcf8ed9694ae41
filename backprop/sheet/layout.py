"""Where everything stands: the class sheet's geometry in one table, and that of the sheets that follow it."""

from collections.abc import Iterator
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from backprop.derivation import Derivation
from backprop.network import LEARNING_RATE, TOTAL_ERROR

CLASS_SHEET = "Class sheet"
COMPARISON_SHEET = "Comparison"
MAX_ITERATIONS = 10_000


@dataclass(frozen=True)
class PanelPlace:
    """One box of the derivation: a number, and merged lines below each other."""

    number_cell: str
    first_row: int
    columns: tuple[str, str]
    box_top: int
    """The row where the line around the box begins."""
    merged_number: bool = False
    """Whether the number's row is merged like the lines below it."""

    def line(self, index: int) -> str:
        """Give the merged range of a line."""
        first, last = self.columns
        return f"{first}{self.first_row + index}:{last}{self.first_row + index}"


PANELS = {
    1: PanelPlace("J4", 5, ("J", "L"), box_top=5),
    2: PanelPlace("M4", 5, ("M", "R"), box_top=5),
    3: PanelPlace("M11", 12, ("M", "R"), box_top=11),
    4: PanelPlace("J16", 17, ("J", "R"), box_top=16, merged_number=True),
    5: PanelPlace("C17", 18, ("C", "H"), box_top=17, merged_number=True),
    6: PanelPlace("C22", 23, ("C", "O"), box_top=22, merged_number=True),
}
PICTURE = ("A5", "I14")
LOSS_CHART = ("T16", "AA31")
BIASES = (("I31", "J31"), ("K31", "L31"))
"""Label and value of each bias, for networks that have some; the class sheet's has none."""


@dataclass(frozen=True)
class TablePlace:
    """A live table: header, rows of iterations, and the cell that holds its learning rate."""

    sheet: str
    header_row: int
    learning_rate: str
    columns: tuple[str, ...]
    """The quantity in each column, from A on."""
    biases: tuple[str, ...]
    """Names of the biases; their cells are on the class sheet."""
    iterations: int

    @property
    def first_row(self) -> int:
        """Give the row of iteration 0."""
        return self.header_row + 1

    @property
    def last_row(self) -> int:
        """Give the row of the last iteration."""
        return self.header_row + self.iterations

    def letter(self, name: str) -> str:
        """Give the column of a quantity."""
        return get_column_letter(self.columns.index(name) + 1)

    def cell(self, name: str, iteration: int = 0) -> str:
        """Give the cell of a quantity at an iteration."""
        return f"{self.letter(name)}{self.first_row + iteration}"

    def bias_cell(self, name: str) -> str:
        """Give the class sheet's cell of a bias."""
        return BIASES[self.biases.index(name)][1]

    def reference(self, name: str, row: int | str) -> str:
        """Refer to a symbol from a formula in this table: a cell of `row`, or the anchored cell of η or a bias."""
        if name == LEARNING_RATE:
            return absolute(self.learning_rate)
        if name in self.biases:
            cell = absolute(self.bias_cell(name))
            return cell if self.sheet == CLASS_SHEET else f"'{CLASS_SHEET}'!{cell}"
        return f"{self.letter(name)}{row}"

    def range(self, name: str) -> str:
        """Give a column of the table as an absolute reference that other sheets can use."""
        letter = self.letter(name)
        return f"'{self.sheet}'!${letter}${self.first_row}:${letter}${self.last_row}"


def class_table(derivation: Derivation, iterations: int) -> TablePlace:
    """Place the class sheet's own table: header in row 32, η in G31."""
    return TablePlace(CLASS_SHEET, 32, "G31", derivation.columns, derivation.network.biases, iterations)


def curve_table(number: int, derivation: Derivation, iterations: int) -> TablePlace:
    """Place the table of one further learning rate, near the top of a sheet of its own."""
    return TablePlace(f"Curve {number}", 4, "G2", derivation.columns, derivation.network.biases, iterations)


def absolute(cell: str) -> str:
    """Anchor a cell: G31 → $G$31; an anchored one stays."""
    cell = cell.replace("$", "")
    letters = cell.rstrip("0123456789")
    return f"${letters}${cell[len(letters) :]}"


def header(name: str) -> str:
    """Spell a quantity as the class sheet's header does."""
    return "E_tot" if name == TOTAL_ERROR else name.replace("dE_d", "∂E/∂")


@dataclass(frozen=True)
class CurvePlace:
    """The row of the comparison sheet that holds one curve's learning rate and results."""

    row: int

    @property
    def learning_rate(self) -> str:
        """Give the editable cell."""
        return f"B{self.row}"

    @property
    def label(self) -> str:
        """Give the cell that names the curve in the chart."""
        return f"C{self.row}"


COMPARISON_HEADER_ROW = 4
COMPARISON_CHART = ("A13", "G36")
ERRORS_HEADER_ROW = 39
"""Below the chart: the iterations and the error of every curve side by side."""


def curve_places(count: int) -> Iterator[CurvePlace]:
    """Place the comparison sheet's rows, one below the other."""
    return (CurvePlace(COMPARISON_HEADER_ROW + number) for number in range(1, count + 1))


def iteration_cells(iterations: int) -> str:
    """Give the range of iteration numbers that every chart's axis shows."""
    return f"{COMPARISON_SHEET}!$A${ERRORS_HEADER_ROW + 1}:$A${ERRORS_HEADER_ROW + iterations}"
