"""The right formula in a sheet's own cells, ready to paste: read back and found right, or not given."""

from backprop.check.cells import Address
from backprop.check.evaluation import Evaluation, Value
from backprop.check.expected import ExpectedTable
from backprop.check.formulas import UnreadableError
from backprop.check.quantities import TableCells
from backprop.check.references import Scope
from backprop.check.run import agree
from backprop.network import LEARNING_RATE
from backprop.printers.excel import ExcelPrinter


class _NoPlaceError(Exception):
    """A quantity that no cell holds."""


class Suggestions:
    """Write formulas for one table."""

    def __init__(self, cells: TableCells, expected: ExpectedTable) -> None:
        self._cells, self._table, self._expected = cells, cells.table, expected

    def suggest(self, quantity: str, row: int) -> str | None:
        """Return the right formula of a cell, or None where the sheet has no cells to write it with."""
        try:
            formula = self._write(quantity, row)
            return formula if self._is_right(formula, quantity, row) else None
        except (_NoPlaceError, UnreadableError, KeyError):
            return None

    def _write(self, quantity: str, row: int) -> str:
        derivation = self._expected.derivation
        if quantity in derivation.constants:
            return f"={self._table.letters(quantity)}{row - 1}"
        if quantity in self._expected.network.parameters:
            (update,) = (e.expression for e in derivation.updates if e.name == quantity)
            return self._print(self._expected.place(update, self._places), row - 1)
        return self._print(self._expected.place(self._expected.expression(quantity), self._places), row)

    @property
    def _places(self) -> frozenset[str]:
        return frozenset({LEARNING_RATE, *self._table.columns, *self._expected.numbers})

    def _print(self, expression: object, row: int) -> str:
        return ExcelPrinter(lambda name: self._place(name, row)).formula(expression)

    def _place(self, name: str, row: int) -> str:
        if name in self._table.columns:
            return f"{self._table.letters(name)}{row}"
        rate = self._expected.learning_rate
        number = self._expected.numbers.get(name)
        if name == LEARNING_RATE:
            if rate.text:
                return rate.text
            number = rate.value
        if number is None:
            raise _NoPlaceError
        return f"{number:.15g}" if number >= 0 else f"({number:.15g})"

    def _is_right(self, formula: str, quantity: str, row: int) -> bool:
        """Put the formula into the table and compare it as a foreign one is."""
        run = self._expected.run

        def known(address: Address) -> Value:
            place = self._cells.locate(address, row)
            return None if place is None or not run.has(place.name) else run.value(place.name, place.rows)

        origin = self._table.address(quantity, row)
        tree = self._cells.formulas.parse(formula, origin)
        number = Evaluation(origin, Scope(self._cells.formulas, known).value).number(tree)
        return agree(number, run.value(quantity))
