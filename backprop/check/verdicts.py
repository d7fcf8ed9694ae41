"""The verdict on a table: each cell against what the derivation expects there, stored results, charts."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from openpyxl.utils.cell import range_boundaries

from backprop.check.cells import ForeignWorkbook
from backprop.check.expected import derive_expected
from backprop.check.explanation import explain
from backprop.check.expressions import (
    Resolved,
    Symbol,
    are_equal,
    find_symbols,
    is_small,
    quantity_of,
    symbol_of,
    to_sympy,
)
from backprop.check.findings import CHART, FORMULA, STALE, TYPED, UNREAD, Finding, TableReport, format_cells
from backprop.check.formulas import NoNumberError, UnreadableError
from backprop.check.impact import Impact
from backprop.check.references import Resolver
from backprop.check.tables import QUANTITIES, ForeignTable
from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_name
from backprop.printers.excel import ExcelPrinter


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a cell, before cells with the same mistake are joined."""

    kind: str
    explanation: str
    found: Any = None
    """The sympy expression, where there is one."""


def check_table(workbook: ForeignWorkbook, table: ForeignTable) -> TableReport:
    """Check every quantity of a table in every row."""
    check = _TableCheck(Resolver(workbook, table))
    notes = ["the weights are numbered in another order, consistently"] if check.expected.is_renumbered else []
    if check.expected.derivation.fixed_biases:
        notes.append("the neurons have biases that stay as they are")
    findings = (*check.find_mistakes(), *check.find_stale_results(), *_check_charts(workbook, table))
    return TableReport(table.sheet, table.header, table.row_count, check.expected.learning_rate, findings, tuple(notes))


class _TableCheck:
    def __init__(self, resolver: Resolver) -> None:
        self.resolver, self.table, self.expected = resolver, resolver.table, derive_expected(resolver)
        derivation = self.expected.derivation
        self._constants, self._parameters = derivation.constants, derivation.network.parameters
        self._impact = Impact(resolver, self.expected)
        self._missing: dict[str, list[str]] = {}
        self._compared: dict[tuple[str, Resolved], Mistake | None] = {}

    def find_mistakes(self) -> Iterator[Finding]:
        """Yield a finding per quantity and mistake."""
        for quantity in (q for q in QUANTITIES if q in self.table.columns):
            rows: dict[Mistake, list[int]] = defaultdict(list)
            for row in self.table.rows:
                mistake = self._check_cell(quantity, row)
                if mistake is not None:
                    rows[mistake].append(row)
            for mistake, where in rows.items():
                yield self._report(quantity, mistake, where)

    def _check_cell(self, quantity: str, row: int) -> Mistake | None:
        is_start = row == self.table.first_row  # starting values may be anything
        if quantity in self._constants or (quantity in self._parameters and is_start):
            return None if is_start else self._check_repeated(quantity, row)
        cell = self.resolver.cell(quantity, row)
        if cell is None:
            return Mistake(FORMULA, "the cell is empty")
        if not cell.is_formula:
            if isinstance(cell.content, int | float) and not isinstance(cell.content, bool):
                return Mistake(TYPED, "a number is typed where a formula belongs")
            return Mistake(FORMULA, "a text stands where a formula belongs")
        missing = self._find_missing(quantity)
        if missing:
            return Mistake(UNREAD, f"{', '.join(missing)}: no column has a header that says so")
        if quantity not in self.expected.expressions:
            return Mistake(UNREAD, f"{quantity} belongs to no bias that a net input reads from a column")
        try:
            return self._compare_once(quantity, self.resolver.resolve(quantity, row))
        except NoNumberError as error:
            return Mistake(FORMULA, str(error))
        except (UnreadableError, RecursionError) as error:
            return Mistake(UNREAD, str(error) or "the formula is nested too deeply")

    def _find_missing(self, quantity: str) -> list[str]:
        """Return the constants and parameters that a quantity needs and that have no column: there is no verdict."""
        if quantity not in self._missing:
            symbols = self.expected.expressions.get(quantity, sp.Integer(0)).free_symbols
            names = {quantity_of(symbol) for symbol in symbols} - {LEARNING_RATE, *self.table.columns}
            base = names.intersection((*self._constants, *self._parameters))
            self._missing[quantity] = sorted(base.union(*map(self._find_missing, names - base)))
        return self._missing[quantity]

    def _check_repeated(self, quantity: str, row: int) -> Mistake | None:
        """Inputs, targets and biases that are not trained repeat from row to row."""
        start, value = (self.resolver.number(sp.Symbol(quantity), r) for r in (self.table.first_row, row))
        # Filling down leaves rounding noise.
        if start is None or value is None or math.isclose(start, value, rel_tol=1e-9, abs_tol=1e-12):
            return None
        return Mistake(FORMULA, f"{quantity} changes from row to row")

    def _compare_once(self, quantity: str, resolved: Resolved) -> Mistake | None:
        key = (quantity, resolved)
        if key not in self._compared:
            self._compared[key] = self._compare(quantity, resolved)
        return self._compared[key]

    def _compare(self, quantity: str, resolved: Resolved) -> Mistake | None:
        found, expected = self._ignore_rows_of_constants(to_sympy(resolved)), self.expected.expressions[quantity]
        if are_equal(found, expected) or are_equal(self.expected.compose(found), self.expected.compose(expected)):
            return None
        if quantity in self._parameters:
            return self._compare_update(quantity, resolved, found)
        return Mistake(FORMULA, explain(found, self.expected.in_class_order(quantity)), found)

    def _compare_update(self, quantity: str, resolved: Resolved, found: Any) -> Mistake | None:
        """An update may have η typed in; another cell in its place is a mistake of its own."""
        expected, eta = self.expected.expressions[quantity], self.expected.learning_rate.value
        if not is_small(found):
            return Mistake(FORMULA, explain(found, expected), found)
        parameter, gradient = (symbol_of(name, -1) for name in (quantity, gradient_name(quantity)))
        factor = sp.simplify((parameter - found) / gradient)
        if factor.is_number and eta is not None:
            if are_equal(factor, sp.Float(eta, 17)):
                return None
            return Mistake(FORMULA, f"η is {sp.N(factor, 6)} here and {eta:g} elsewhere", found)
        if factor.is_Symbol and factor.name != LEARNING_RATE:
            name = quantity_of(factor)
            return Mistake(FORMULA, f"η is read from {name}: its cell is not anchored or not η", found)
        if sp.Symbol(LEARNING_RATE) not in find_symbols(resolved):
            return Mistake(FORMULA, "η is not read from its cell: the reference is not anchored or not η", found)
        return Mistake(FORMULA, explain(found, expected), found)

    def _ignore_rows_of_constants(self, expression: Any) -> Any:
        """Constants are the same in every row, so it does not matter which row they are read from."""
        quantities = {symbol: quantity_of(symbol) for symbol in expression.free_symbols}
        return expression.xreplace({s: sp.Symbol(name) for s, name in quantities.items() if name in self._constants})

    def _report(self, quantity: str, mistake: Mistake, rows: list[int]) -> Finding:
        cell, found = self.resolver.cell(quantity, rows[0]), mistake.found
        return Finding(
            mistake.kind,
            quantity,
            format_cells(self.table.letters(quantity), rows),
            cell.content if cell is not None and cell.is_formula else None,
            self._format_expected(quantity, rows[0]),
            " ".join(mistake.explanation.split()),  # it may quote a text or a name with line breaks
            None if found is None else self._impact.max_relative_error(quantity, found, rows),
            None if found is None else self._impact.max_total_error_shift(quantity, found),
        )

    def _format_expected(self, quantity: str, row: int) -> str | None:
        """Format the right formula in the sheet's own cells, ready to paste into the first wrong row."""
        derivation = self.expected.derivation
        if quantity in self._constants:
            return f"={self.table.letters(quantity)}{row - 1}"
        if quantity in self._parameters:
            update = next(e for e in derivation.updates if e.name == quantity)
            return ExcelPrinter(lambda name: self._format_symbol(name, row - 1)).formula(update.expression)
        if quantity not in self.expected.expressions:
            return None
        expression = derivation.equation(quantity).expression
        return ExcelPrinter(lambda name: self._format_symbol(name, row)).formula(expression)

    def _format_symbol(self, name: str, row: int) -> str:
        if name == LEARNING_RATE:
            return self.expected.learning_rate.text
        if name in self.table.columns:
            return f"{self.table.letters(name)}{row}"
        return str(self.expected.numbers.get(sp.Symbol(name), name))

    def find_stale_results(self) -> Iterator[Finding]:
        """Yield a finding per quantity whose stored results are not those of its formulas."""
        explanation = "the stored results are not those of the formulas: let Excel recalculate and save"
        for quantity in (q for q in QUANTITIES if q in self.table.columns):
            rows = [row for row in self.table.rows if self._is_stale(quantity, row)]
            if rows:
                yield Finding(
                    STALE, quantity, format_cells(self.table.letters(quantity), rows), None, None, explanation
                )

    def _is_stale(self, quantity: str, row: int) -> bool:
        """Evaluate a formula with the results that its operands show, and compare with the result it shows itself."""
        cell = self.resolver.cell(quantity, row)
        if cell is None or not cell.is_formula or not isinstance(cell.stored_result, int | float):
            return False
        try:
            resolved = self.resolver.resolve(quantity, row)
            symbols, function = _compile(resolved)
            values = [self.resolver.number(symbol, row) for symbol in symbols]
            if None in values:
                return False
            computed = float(function(*values))
        except (UnreadableError, ArithmeticError, ValueError, TypeError, RecursionError):
            return False
        return not math.isclose(computed, cell.stored_result, rel_tol=1e-6, abs_tol=1e-12)


@lru_cache(maxsize=2048)
def _compile(resolved: Resolved) -> tuple[list[Symbol], Any]:
    symbols = sorted(find_symbols(resolved), key=str)
    return symbols, sp.lambdify(symbols, to_sympy(resolved), modules="math")


def _check_charts(workbook: ForeignWorkbook, table: ForeignTable) -> Iterator[Finding]:
    """Find charts of the total error that leave rows out, and tables beside charts that draw something else."""
    if TOTAL_ERROR not in table.columns:
        return
    drawn: dict[str, set[int]] = defaultdict(set)
    for series in workbook.series:
        drawn[series.reference] |= _find_rows_of_error(series.reference, table)
    letters = table.letters(TOTAL_ERROR)
    whole = f"'{table.sheet}'!${letters}${table.first_row}:${letters}${table.last_row}"
    on_sheet = [series for series in workbook.series if series.sheet == table.sheet]
    best = max(drawn, key=lambda reference: len(drawn[reference]), default=None)
    if best is not None and drawn[best]:
        missing = sorted(set(table.rows) - drawn[best])
        if missing:
            explanation = f"the chart draws {best} and leaves out {len(missing)} of {table.row_count} rows"
            yield Finding(CHART, TOTAL_ERROR, format_cells(letters, missing), None, whole, explanation)
    elif on_sheet:
        explanation = f"no chart draws the total error; one draws {on_sheet[0].reference}"
        yield Finding(CHART, TOTAL_ERROR, f"{letters}{table.first_row}", None, whole, explanation)


def _find_rows_of_error(reference: str, table: ForeignTable) -> set[int]:
    """Return the table's rows that a chart reference draws, if it draws the total error."""
    rows: set[int] = set()
    for part in reference.strip("()").split(","):
        sheet, _, area = part.rpartition("!")
        if sheet.strip("'").replace("''", "'") != table.sheet:
            continue
        try:
            left, top, right, bottom = range_boundaries(area)
        except (ValueError, TypeError):
            continue
        if top is None or bottom is None or left != right or left != table.columns[TOTAL_ERROR]:
            continue
        rows |= set(range(max(top, table.first_row), min(bottom, table.last_row) + 1))
    return rows
