"""The check of one table: every cell against what the derivation says belongs there."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp

from backprop.activations import ActivationBase
from backprop.check import findings as kinds
from backprop.check.comparing import Composer, equal, is_small
from backprop.check.effects import Effects
from backprop.check.explaining import explain
from backprop.check.findings import Finding, LearningRate, TableReport
from backprop.check.model import Model, build_model, find_learning_rate, source_of
from backprop.check.parser import NoNumberError, UnreadableError
from backprop.check.reading import Book
from backprop.check.resolving import BEFORE, Resolved, Resolver, address, as_sympy, leaves, runs
from backprop.check.tables import QUANTITIES, Table
from backprop.check.traces import chart_findings, stale_findings
from backprop.network import LEARNING_RATE
from backprop.printers.excel import ExcelPrinter


@dataclass(frozen=True)
class Wrong:
    """A cell that is not what it should be, before cells with the same mistake are joined."""

    kind: str
    explanation: str
    found: Any = None
    """The sympy expression, where there is one."""


class TableCheck:
    """Check one table of a workbook."""

    def __init__(self, book: Book, table: Table) -> None:
        self.book, self.table = book, table
        self.resolver = Resolver(book, table)
        self.resolver.learning_rate = find_learning_rate(self.resolver)
        self.model: Model = build_model(self.resolver)
        self._given, self._updated = self.model.derivation.constants, self.model.derivation.network.parameters
        self._composer = Composer(self.model.expected, self._updated, self._given)
        self._needs: dict[str, list[str]] = {}
        self._verdicts: dict[tuple[str, Resolved], Wrong | None] = {}
        self._effects = Effects(self.resolver, self.model)

    def report(self) -> TableReport:
        """Check every quantity in every row."""
        findings = [finding for quantity in QUANTITIES for finding in self._quantity(quantity)]
        findings += stale_findings(self.book, self.table, self.resolver)
        findings += chart_findings(self.book, self.table)
        notes = ["the weights are numbered in another order, consistently"] if self.model.renamed else []
        if self.model.derivation.fixed_biases:
            notes.append("the neurons have biases that stay as they are")
        table = self.table
        return TableReport(table.sheet, table.header, table.rows, self._learning_rate(), tuple(findings), tuple(notes))

    def _learning_rate(self) -> LearningRate:
        if self.resolver.learning_rate is None:
            return LearningRate(None, self._effects.learning_rate)
        _, place = source_of(self.resolver, self.resolver.learning_rate)
        return LearningRate(address(place), self._effects.learning_rate)

    def _quantity(self, quantity: str) -> Iterator[Finding]:
        if quantity not in self.table.columns:
            return
        rows: dict[Wrong, list[int]] = defaultdict(list)
        for row in range(self.table.first_row, self.table.last_row + 1):
            wrong = self._cell(quantity, row)
            if wrong is not None:
                rows[wrong].append(row)
        for wrong, where in rows.items():
            yield self._finding(quantity, wrong, where)

    def _cell(self, quantity: str, row: int) -> Wrong | None:
        """Judge one cell; starting values may be anything."""
        start = row == self.table.first_row
        if quantity in self._given or (quantity in self._updated and start):
            return None if start else self._repeated(quantity, row)
        cell = self.resolver.cell(quantity, row)
        if cell is None:
            return Wrong(kinds.FORMULA, "the cell is empty")
        if not cell.is_formula:
            if isinstance(cell.content, int | float) and not isinstance(cell.content, bool):
                return Wrong(kinds.TYPED, "a number is typed where a formula belongs")
            return Wrong(kinds.FORMULA, "a text stands where a formula belongs")
        missing = self._missing(quantity)
        if missing:
            return Wrong(kinds.UNREAD, f"{', '.join(missing)}: no column has a header that says so")
        if quantity not in self.model.expected:
            return Wrong(kinds.UNREAD, f"{quantity} belongs to no bias that a net input reads from a column")
        try:
            resolved = self.resolver.resolve(quantity, row)
            return self._judged(quantity, resolved)
        except NoNumberError as error:
            return Wrong(kinds.FORMULA, str(error))
        except (UnreadableError, RecursionError) as error:
            return Wrong(kinds.UNREAD, str(error) or "the formula is nested too deeply")

    def _missing(self, quantity: str) -> list[str]:
        """Name what a quantity needs and nobody can tell where it stands: without it there is no verdict."""
        if quantity not in self._needs:
            names = {s.name.removesuffix(BEFORE) for s in self.model.expected.get(quantity, sp.Integer(0)).free_symbols}
            names -= {LEARNING_RATE, *self.table.columns}
            base = {name for name in names if name in (*self._given, *self._updated)}
            self._needs[quantity] = sorted(base.union(*(self._missing(name) for name in names - base)))
        return self._needs[quantity]

    def _repeated(self, quantity: str, row: int) -> Wrong | None:
        """Inputs, targets and biases that are not trained repeat from row to row."""
        first, cell = self.resolver.cell(quantity, self.table.first_row), self.resolver.cell(quantity, row)
        a, b = (None if c is None else c.shown if c.is_formula else c.content for c in (first, cell))
        if not (isinstance(a, int | float) and isinstance(b, int | float)):
            return None
        # Filling down leaves dust in the last digits.
        same = math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
        return None if same else Wrong(kinds.FORMULA, f"{quantity} changes from row to row")

    def _judged(self, quantity: str, resolved: Resolved) -> Wrong | None:
        key = (quantity, resolved)
        if key not in self._verdicts:
            self._verdicts[key] = self._judge(quantity, resolved)
        return self._verdicts[key]

    def _judge(self, quantity: str, resolved: Resolved) -> Wrong | None:
        found, expected = self._same_row_inputs(as_sympy(resolved)), self.model.expected[quantity]
        if equal(found, expected) or equal(self._composer.compose(found), self._composer.compose(expected)):
            return None
        if quantity in self._updated:
            return self._judge_update(quantity, found, expected, resolved)
        return Wrong(kinds.FORMULA, explain(found, self._shown(quantity)), found)

    def _judge_update(self, quantity: str, found: Any, expected: Any, resolved: Resolved) -> Wrong | None:
        """An update may have η typed in; another cell in its place is a mistake of its own."""
        if not is_small(found):
            return Wrong(kinds.FORMULA, explain(found, expected), found)
        eta, slope = sp.Symbol(LEARNING_RATE), sp.Symbol(f"dE_d{quantity}{BEFORE}")
        factor = sp.simplify((sp.Symbol(quantity + BEFORE) - found) / slope)
        if factor.is_number and self._effects.learning_rate is not None:
            if equal(factor, sp.Float(self._effects.learning_rate, 17)):
                return None
            return Wrong(
                kinds.FORMULA, f"η is {sp.N(factor, 6)} here and {self._effects.learning_rate:g} elsewhere", found
            )
        if factor.is_Symbol and factor != eta:
            name = factor.name.removesuffix(BEFORE)
            return Wrong(kinds.FORMULA, f"η is read from {name}: its cell is not anchored or not η", found)
        if LEARNING_RATE not in leaves(resolved):
            return Wrong(kinds.FORMULA, "η is not read from its cell: the reference is not anchored or not η", found)
        return Wrong(kinds.FORMULA, explain(found, expected), found)

    def _same_row_inputs(self, expression: Any) -> Any:
        """What is given is the same in every row, so it does not matter which row they are read from."""
        renamed = {
            s: sp.Symbol(base)
            for s in expression.free_symbols
            if (base := s.name.split("@")[0].removesuffix(BEFORE)) in self._given and s.name != base
        }
        return expression.xreplace(renamed)

    def _shown(self, quantity: str) -> Any:
        """Give the expected expression in class order for explanations: σ spelled out, biases as numbers."""
        expression = self.model.derivation.equation(quantity).expression
        if isinstance(expression, ActivationBase):
            expression = expression.definition(expression.args[0])
        return expression.xreplace(dict(self.model.numbers))

    def _finding(self, quantity: str, wrong: Wrong, rows: list[int]) -> Finding:
        letter = self.table.letter(quantity)
        cell = self.resolver.cell(quantity, rows[0])
        found = cell.content if cell is not None and cell.is_formula else None
        error = self._effects.relative_error(quantity, wrong.found, rows) if wrong.found is not None else None
        shift = self._effects.total_error_shift(quantity, wrong.found) if wrong.found is not None else None
        cells = ",".join(runs(letter, rows))
        expected = self._expected(quantity, rows[0])
        explanation = " ".join(wrong.explanation.split())  # it may quote a text or a name with line breaks
        return Finding(wrong.kind, quantity, cells, found, expected, explanation, error, shift)

    def _expected(self, quantity: str, row: int) -> str | None:
        """Print the right formula in the sheet's own cells, ready to paste into the first wrong row."""
        derivation = self.model.derivation
        if quantity in self._given:
            return f"={self.table.letter(quantity)}{row - 1}"
        if quantity in self._updated:
            update = next(e for e in derivation.updates if e.name == quantity)
            return ExcelPrinter(lambda name: self._reference(name, row - 1)).formula(update.expression)
        if quantity not in self.model.expected:
            return None
        return ExcelPrinter(lambda name: self._reference(name, row)).formula(derivation.equation(quantity).expression)

    def _reference(self, name: str, row: int) -> str:
        if name == LEARNING_RATE:
            return self._effects.learning_rate_text
        if name in self.table.columns:
            return f"{self.table.letter(name)}{row}"
        return str(self.model.numbers.get(sp.Symbol(name), name))
