"""Geometry of the workbook: the class sheet's places, and those of the sheets behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter

from backprop.derivation import Derivation
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Network, gradient_variable

CLASS_SHEET = "Class sheet"
GENERAL_SHEET = "Training"
DERIVATION_SHEET = "Derivation"
CHECK_SHEET = "Check"
GUIDE_SHEET = "Guide"
COMPARISON_SHEET = "Comparison"
MAX_ITERATIONS = 10_000
MAX_COLUMNS, MAX_CELLS = 16_384, 3_000_000
"""What a sheet can hold, and what all tables of a workbook together may: more than 10,000 rows of the class's."""


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
        """Return the merged range of a line."""
        first, last = self.columns
        return f"{first}{self.first_row + index}:{last}{self.first_row + index}"

    def box(self, lines: int) -> str:
        """Return the range that the line goes around."""
        first, last = self.columns
        return f"{first}{self.box_top}:{last}{self.first_row + lines - 1}"


PANELS = {
    1: PanelPlace("J4", 5, ("J", "L"), box_top=5),
    2: PanelPlace("M4", 5, ("M", "R"), box_top=5),
    3: PanelPlace("M11", 12, ("M", "R"), box_top=11),
    4: PanelPlace("J16", 17, ("J", "R"), box_top=16, merged_number=True),
    5: PanelPlace("C17", 18, ("C", "H"), box_top=17, merged_number=True),
    6: PanelPlace("C22", 23, ("C", "O"), box_top=22, merged_number=True),
}
PICTURE_ROW = 5
PICTURE = (f"A{PICTURE_ROW}", "I14")
LOSS_CHART = ("T16", "AA31")
GENERAL_LOSS_CHART = ("A6", "H22")
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
    fixed_biases: tuple[str, ...]
    """The biases that are not trained; their cells are on the class sheet."""
    iterations: int
    origin: "TablePlace | None" = None
    """The table that holds the starting values; none where this is the one."""

    @property
    def first_row(self) -> int:
        """The row of iteration 0."""
        return self.header_row + 1

    @property
    def last_row(self) -> int:
        """The row of the last iteration."""
        return self.header_row + self.iterations

    def letter(self, name: str) -> str:
        """Return the column of a quantity."""
        return get_column_letter(self.columns.index(name) + 1)

    def cell(self, name: str, iteration: int = 0) -> str:
        """Return the cell of a quantity at an iteration."""
        return f"{self.letter(name)}{self.first_row + iteration}"

    def start(self, name: str) -> str:
        """Return the cell in which a starting value is typed."""
        return self.bias_cell(name) if name in self.fixed_biases else self.cell(name)

    def bias_cell(self, name: str) -> str:
        """Return the class sheet's cell of a bias that is not trained."""
        return BIASES[self.fixed_biases.index(name)][1]

    def reference(self, name: str, row: int | str) -> str:
        """Return what a formula of this table calls a symbol: a cell of `row`, or the anchored cell of η or a bias."""
        if name == LEARNING_RATE:
            return absolute(self.learning_rate)
        if name in self.fixed_biases:
            cell = absolute(self.bias_cell(name))
            return cell if self.origin is None else f"'{self.origin.sheet}'!{cell}"
        return f"{self.letter(name)}{row}"

    def range(self, name: str) -> str:
        """Return a column of the table as an absolute reference for other sheets."""
        letter = self.letter(name)
        return f"'{self.sheet}'!${letter}${self.first_row}:${letter}${self.last_row}"


def main_table(derivation: Derivation, iterations: int) -> TablePlace:
    """Return the place of the table with the starting values: the class sheet's, or a general one."""
    if is_class_shape(derivation.network):
        return TablePlace(CLASS_SHEET, 32, "G31", derivation.columns, derivation.fixed_biases, iterations)
    return TablePlace(GENERAL_SHEET, 24, "B4", derivation.columns, derivation.fixed_biases, iterations)


def is_class_shape(network: Network) -> bool:
    """Return whether a network has the class sheet's columns, and so fits its places."""
    return network.sizes == (2, 2, 2)


def curve_table(number: int, origin: TablePlace) -> TablePlace:
    """Return the place of the table of one further learning rate, on a sheet of its own."""
    return replace(origin, sheet=f"Curve {number}", header_row=4, learning_rate="G2", origin=origin)


def absolute(cell: str) -> str:
    """Return a cell's absolute address: G31 → $G$31; an absolute one stays."""
    cell = cell.replace("$", "")
    letters = cell.rstrip("0123456789")
    return f"${letters}${cell[len(letters) :]}"


def header(name: str) -> str:
    """Return a quantity's name as the class sheet's header has it."""
    variable = gradient_variable(name)
    return "E_tot" if name == TOTAL_ERROR else f"∂E/∂{variable}" if variable else name


@dataclass(frozen=True)
class CurvePlace:
    """The row of the comparison sheet that holds one curve's learning rate and results."""

    number: int

    @property
    def row(self) -> int:
        """The row of its numbers."""
        return COMPARISON_HEADER_ROW + self.number

    @property
    def learning_rate(self) -> str:
        """The editable cell."""
        return f"B{self.row}"

    @property
    def label(self) -> str:
        """The cell that names the curve in the chart."""
        return f"C{self.row}"


COMPARISON_HEADER_ROW = 4
COMPARISON_CHARTS = (
    ("E_total per iteration", ("A13", "G36"), False),
    ("E_total per iteration, logarithmic", ("A38", "G61"), True),
)
"""Title, corners, and whether the errors' axis is logarithmic."""
ERRORS_HEADER_ROW = 64
"""Below the chart: the iterations and the error of every curve side by side."""


def curve_places(count: int) -> Iterator[CurvePlace]:
    """Yield the comparison sheet's rows, one per curve."""
    return (CurvePlace(number) for number in range(1, count + 1))


def iteration_cells(iterations: int) -> str:
    """Return the range of iteration numbers on every chart's axis."""
    return f"{COMPARISON_SHEET}!$A${ERRORS_HEADER_ROW + 1}:$A${ERRORS_HEADER_ROW + iterations}"
