"""A table's cells by quantity and row: what their formulas read, and what they give where the rest is known."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from backprop.check.cells import Address, Cell
from backprop.check.evaluation import Value
from backprop.check.formulas import Reference, UnreadableError
from backprop.check.functions import Number
from backprop.check.patterns import Pattern
from backprop.check.references import Formulas, Scope
from backprop.check.tables import CLASS, ForeignTable
from backprop.network import LEARNING_RATE


class Quantity(NamedTuple):
    """A quantity of a row: so many rows below the one at hand, -1 in the row above."""

    name: str
    rows: int = 0


class Computed(NamedTuple):
    """What a formula gives, and what it reads on the way."""

    number: Number
    reads: frozenset[Quantity]
    outside: frozenset[Address]
    """Cells that are no quantities of the table."""


@dataclass
class TableCells:
    """The cells of one table."""

    formulas: Formulas
    table: ForeignTable
    _warm: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._quantities = {column: quantity for quantity, column in self.table.columns.items()}
        self._actual = Scope(self.formulas, lambda _: None, runs_on=True)
        self._sources: dict[Address, Address] = {}
        self._alike: dict[tuple[Pattern, int], range] = {}

    def cell(self, quantity: str, row: int) -> Cell | None:
        """Return a cell of the table."""
        return self.formulas.workbook.cell(self.table.address(quantity, row))

    def column(self, quantity: str) -> Mapping[int, Cell]:
        """Return the cells of a quantity by row, with those above and below the table."""
        sheet = self.formulas.workbook.sheets[self.table.sheet]
        return sheet.columns.get(self.table.columns[quantity], {})

    def locate(self, address: Address, row: int) -> Quantity | None:
        """Return which quantity a cell is to a formula of a row; None for a cell outside the table."""
        rate = self.table.learning_rate
        is_rate_column = self.table.has_rate_column and rate is not None and rate.column == address.column
        if address == rate or (is_rate_column and self._is_inside(address)):
            return Quantity(LEARNING_RATE)
        name = self._quantities.get(address.column)
        if name is None or not self._is_inside(address):
            return None
        return Quantity(name, 0 if name in CLASS.constants else address.row - row)

    def _is_inside(self, address: Address) -> bool:
        return address.sheet == self.table.sheet and address.row in self.table.rows

    def key(self, quantity: str, row: int) -> Hashable:
        """Return a key that is the same for rows whose formulas compute the same. Raises UnreadableError."""
        address = self.table.address(quantity, row)
        cell = self.formulas.workbook.cell(address)
        if cell is not None and row in self.find_alike(quantity, row):
            return cell.formula

        def classify(target: Address) -> Hashable:
            source = self.find_source(target)
            typed = self.formulas.workbook.cell(source)
            if typed is not None and typed.formula is None and self.locate(source, row) is None:
                return type(typed.value), typed.value
            return self.locate(source, row)

        return self.formulas.key(address, classify)

    def find_source(self, address: Address) -> Address:
        """Return the first cell that is more than a copy, or the table's; columns of copies may be long."""
        path, place = dict[Address, None](), address
        while place not in self._sources:
            path[place] = None
            following = None if self.locate(place, place.row) is not None else self.formulas.copied(place)
            if following is None or following in path:
                self._sources[place] = place
                break
            place = following
        self._sources |= dict.fromkeys(path, self._sources[place])
        return self._sources[address]

    def find_alike(self, quantity: str, row: int) -> range:
        """Return the rows in which the same formula surely computes the same: it reads nothing but the table, and η."""
        address = self.table.address(quantity, row)
        cell = self.formulas.workbook.cell(address)
        if cell is None or cell.formula is None or cell.array is not None:
            return range(0)
        if (cell.formula, address.column) not in self._alike:
            reach, rows = self._find_reach(address), self.table.rows
            alike = range(0) if reach is None else range(rows.start - reach[0], rows.stop - reach[1])
            self._alike[cell.formula, address.column] = alike
        return self._alike[cell.formula, address.column]

    def _find_reach(self, address: Address) -> tuple[int, int] | None:
        """Return how many rows up and down a formula reads if it reads nothing but columns of the table, and η."""
        rows = [0]
        for reference in self.formulas.references(address):
            if not isinstance(reference, Reference):
                return None
            target = reference.target(address)
            if target == self.table.learning_rate and reference.row_fixed:
                continue
            quantity = self._quantities.get(target.column) if target.sheet == self.table.sheet else None
            if quantity is None or (reference.row_fixed and quantity not in CLASS.constants):
                return None
            rows.append(target.row - address.row if not reference.row_fixed else 0)
            if reference.row_fixed and target.row not in self.table.rows:
                return None
        return min(rows), max(rows)

    def compute(self, quantity: str, row: int, value: Callable[[Quantity], Value]) -> Computed:
        """Compute a cell's formula from values of the table's quantities. Raises UnreadableError."""
        reads: set[Quantity] = set()

        def known(address: Address) -> Value:
            place = self.locate(address, row)
            if place is None:
                return None
            reads.add(place)
            return value(place)

        scope = Scope(self.formulas, known, self.find_source)
        number = scope.compute(self.table.address(quantity, row))
        outside = frozenset(address for address in scope.reads if self.locate(address, row) is None)
        return Computed(number, frozenset(reads), outside)

    def actual(self, address: Address) -> float | None:
        """Return the number of a cell, computed from the sheet's own typed numbers, or None if it has none.

        The rows above are computed first: each reads the one before it, and a thousand at once would be too deep.
        """
        cell = self.formulas.workbook.cell(address)
        is_computed = cell is not None and cell.formula is not None
        if is_computed and self._is_inside(address):
            for row in range(self.table.first_row + self._warm, address.row):
                for quantity in self.table.columns:
                    self._compute_actual(self.table.address(quantity, row))
            self._warm = max(self._warm, address.row - self.table.first_row)
        return self._compute_actual(address)

    def _compute_actual(self, address: Address) -> float | None:
        try:
            value = self._actual.value(address)
        except (UnreadableError, RecursionError):
            cell = self.formulas.workbook.cell(address)
            value = None if cell is None else cell.value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def number(self, quantity: str, row: int) -> float | None:
        """Return the number of a quantity in a row; None where it has none, or no column."""
        if quantity == LEARNING_RATE:
            return None if self.table.learning_rate is None else self.actual(self.table.learning_rate)
        if quantity not in self.table.columns or row not in self.table.rows:
            return None
        return self.actual(self.table.address(quantity, row))
