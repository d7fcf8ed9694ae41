"""The verdict on a table: each cell against what the derivation expects there, and what could not be read."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from backprop.check.cells import Cell
from backprop.check.charts import check_charts
from backprop.check.comparison import Comparison, Mistake
from backprop.check.expected import OtherNetworkError
from backprop.check.findings import (
    FORMULA,
    NOT_READ,
    TEXT,
    TYPED,
    UNREAD,
    Finding,
    LearningRate,
    TableReport,
    Term,
    format_addresses,
    format_cells,
)
from backprop.check.fingerprint import hash_table
from backprop.check.impact import Impact
from backprop.check.quantities import TableCells
from backprop.check.references import Formulas, read_number_as_text
from backprop.check.run import is_rounded
from backprop.check.stale import find_stale_results
from backprop.check.suggestions import Suggestions
from backprop.check.tables import QUANTITIES, ForeignTable
from backprop.network import LEARNING_RATE, TOTAL_ERROR
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.text import TextPrinter

_TEXT, _MATHML = TextPrinter(), MathMLPrinter()


def check_table(formulas: Formulas, table: ForeignTable) -> TableReport:
    """Check every quantity of a table in every row."""
    refusal = table.refusal
    if refusal is None:
        try:
            return _TableCheck(TableCells(formulas, table)).report()
        except OtherNetworkError as error:
            refusal = str(error)
    finding = Finding(UNREAD, "network", table.header, None, None, refusal)
    learning_rate = LearningRate(None, None, "")
    return TableReport(table.sheet, table.header, table.row_count, NOT_READ, 0, learning_rate, (finding,))


class _Wrong(NamedTuple):
    """A cell that has a mistake."""

    row: int
    mistake: Mistake
    formula: Hashable
    """Cells of a quantity that share a formula share its mistake, even if it shows differently from row to row."""


class _TableCheck:
    def __init__(self, cells: TableCells) -> None:
        self.cells, self.table = cells, cells.table
        self.comparison = Comparison(cells)
        self.expected = self.comparison.expected
        self._suggestions = Suggestions(cells, self.expected)
        self._impact = Impact(cells, self.expected)
        self._compared = 0

    def report(self) -> TableReport:
        """Check everything, and describe the table."""
        findings = [
            *self._find_mistakes(),
            *self._find_texts(),
            *find_stale_results(self.cells),
            *check_charts(self.cells.formulas, self.table),
        ]
        findings += self._find_gaps({finding.quantity for finding in findings if finding.kind == UNREAD})
        return TableReport(
            self.table.sheet,
            self.table.header,
            self.table.row_count,
            self.expected.description,
            self._compared,
            self.expected.learning_rate,
            tuple(findings),
            tuple(self._write_notes()),
            hash_table(self.cells),
        )

    def _write_notes(self) -> Iterator[str]:
        """Say what is unusual and right."""
        if self.expected.is_renumbered:
            yield "the weights are numbered in another order, consistently"
        if self.expected.convention.error == 1:
            yield "the errors have no factor ½, and the gradients agree with that: they are twice the class's"
        elif self.expected.convention.error != 0.5:
            yield f"the errors have the factor {self.expected.convention.error:g} in place of ½, consistently"
        if self.expected.learning_rate.cell is None and self.expected.learning_rate.value is not None:
            yield f"η = {self.expected.learning_rate.value:g} is typed into the updates; no cell holds it"
        if self.comparison.calls_pow:
            yield "POW is read as POWER, which it is in other programs; Excel shows #NAME? for it"

    def _find_mistakes(self) -> Iterator[Finding]:
        unread: dict[tuple[str | None, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for quantity in (q for q in QUANTITIES if q in self.table.columns):
            wrong: dict[str, list[_Wrong]] = defaultdict(list)
            for cell in self._check_column(quantity):
                if cell.mistake.kind == UNREAD:
                    unread[cell.mistake.subject, cell.mistake.explanation][quantity].append(cell.row)
                else:
                    wrong[cell.mistake.kind].append(cell)
            for kind, cells in wrong.items():
                yield from (self._report(kind, quantity, group) for group in _group(cells))
        for (subject, explanation), columns in unread.items():
            ranges = (format_cells(self.table.letters(quantity), rows) for quantity, rows in columns.items())
            first, rows = next(iter(columns.items()))
            found = self.cells.formulas.workbook.formula(self.table.address(first, rows[0]))
            words = " ".join(explanation.split())  # it may quote a text or a name with line breaks
            yield Finding(UNREAD, subject or first, ",".join(ranges), None if subject else found, None, words)

    def _check_column(self, quantity: str) -> Iterator[_Wrong]:
        column, right, alike = self.cells.column(quantity), None, range(0)
        for row in self.table.rows:
            cell = column.get(row)
            formula = None if cell is None else cell.formula
            if right is not None and formula is right and row in alike:
                self._compared += 1
                continue
            mistake = self._check_cell(quantity, row)
            if mistake is not None:
                yield _Wrong(row, mistake, formula)
            is_compared = quantity not in self.comparison.constants and (
                quantity not in self.comparison.parameters or row > self.table.first_row
            )
            is_right = mistake is None and is_compared
            right, alike = (formula, self.cells.find_alike(quantity, row)) if is_right else (None, range(0))

    def _check_cell(self, quantity: str, row: int) -> Mistake | None:
        is_start = row == self.table.first_row  # starting values may be anything
        cell = self.cells.cell(quantity, row)
        is_parameter = quantity in self.comparison.parameters
        if row > self.table.last_row and not (is_parameter and cell is not None and cell.formula is not None):
            return None
        if quantity in self.comparison.constants or (is_parameter and is_start):
            return self._check_start(cell) if is_start else self._check_repeated(quantity, row, cell)
        if cell is None:
            return Mistake(FORMULA, "the cell is empty")
        if cell.formula is None:
            return self._check_typed(quantity, row, cell)
        return self._count(self.comparison.check_formula(quantity, row))

    def _count(self, mistake: Mistake | None) -> Mistake | None:
        self._compared += mistake is None or mistake.kind != UNREAD
        return mistake

    def _check_start(self, cell: Cell | None) -> Mistake | None:
        if cell is None or cell.formula is not None or read_number_as_text(cell.value) is not None:
            return None
        return None if _is_number(cell) else Mistake(FORMULA, "a text stands where a number belongs")

    def _check_typed(self, quantity: str, row: int, cell: Cell) -> Mistake | None:
        """A typed number may be right, to its rounding, with the numbers of its own row."""
        if read_number_as_text(cell.value) is not None:
            return None  # which is reported as a text
        if not _is_number(cell):
            return Mistake(FORMULA, "a text stands where a formula belongs")
        right = self.comparison.right_number(quantity, row)
        typed = float(cell.value or 0)
        if right is None:
            return Mistake(UNREAD, "a number is typed where a formula belongs, and what it should be is not known")
        if is_rounded(typed, right):
            return Mistake(TYPED, "a number is typed where a formula belongs")
        return Mistake(FORMULA, "a number is typed where a formula belongs, and it is not what the row gives")

    def _check_repeated(self, quantity: str, row: int, cell: Cell | None) -> Mistake | None:
        """Inputs, targets and biases that are not trained repeat from row to row."""
        if cell is None:
            return self._check_empty(quantity, row)
        if cell.formula is None and not _is_number(cell):
            is_number = read_number_as_text(cell.value) is not None
            return None if is_number else Mistake(FORMULA, "a text stands where a number belongs")
        if cell.formula is not None and self.comparison.repeats(quantity, row):
            return None
        start, value = (self.cells.number(quantity, r) for r in (self.table.first_row, row))
        # Filling down leaves rounding noise.
        if start is None or value is None or math.isclose(start, value, rel_tol=1e-9, abs_tol=1e-12):
            return None
        return Mistake(FORMULA, f"{quantity} changes from row to row")

    def _check_empty(self, quantity: str, row: int) -> Mistake | None:
        """A constant that is not repeated matters where a formula of its row reads it: as 0."""
        address = self.table.address(quantity, row)
        for other in self.table.columns:
            if any(t == address for _, t in self.cells.formulas.targets(self.table.address(other, row))):
                return Mistake(FORMULA, "the cell is empty, and formulas read it as 0")
        return None

    def _report(self, kind: str, quantity: str, cells: Sequence[_Wrong]) -> Finding:
        rows = [cell.row for cell in cells]
        words = Counter(cell.mistake.explanation for cell in cells).most_common(1)[0][0]
        found = self.cells.formulas.workbook.formula(self.table.address(quantity, rows[0]))
        is_formula = kind == FORMULA and found is not None
        return Finding(
            kind,
            quantity,
            format_cells(self.table.letters(quantity), rows),
            found,
            self._suggestions.suggest(quantity, rows[0]),
            " ".join(words.split()),
            self._impact.measure(quantity, rows) if is_formula else None,
            tuple(Term(_TEXT.print(term), _MATHML.print(term)) for term in self.expected.rule(quantity)),
        )

    def _find_texts(self) -> Iterator[Finding]:
        """Find numbers that are stored as texts, in the table and in the cells that its formulas read."""
        explanation = "a number is stored as a text, which formulas can't compute with: type it anew as a number"
        texts = self.cells.formulas.workbook.sheets[self.table.sheet].texts
        for quantity, column in self.table.columns.items():
            places = sorted(row for row, c in texts if c == column and row in self.table.rows)
            rows = [row for row in places if self._is_text(self.cells.cell(quantity, row))]
            if rows:
                cells = format_cells(self.table.letters(quantity), rows)
                yield Finding(TEXT, quantity, cells, None, self._read_text(quantity, rows[0]), explanation)
        for address in sorted(self.comparison.outside):
            cell = self.cells.formulas.workbook.cell(address)
            if cell is not None and self._is_text(cell):
                is_rate = address in (self.table.learning_rate, self.comparison.source_of_rate)
                name = format_addresses([address], self.table.sheet)
                number = f"{read_number_as_text(cell.value):g}"
                yield Finding(TEXT, LEARNING_RATE if is_rate else name, name, None, number, explanation)

    def _is_text(self, cell: Cell | None) -> bool:
        return cell is not None and cell.formula is None and read_number_as_text(cell.value) is not None

    def _read_text(self, quantity: str, row: int) -> str | None:
        cell = self.cells.cell(quantity, row)
        number = None if cell is None else read_number_as_text(cell.value)
        return None if number is None else f"{number:.15g}"

    def _find_gaps(self, known: set[str]) -> Iterator[Finding]:
        """Find what the exercise has and this table lacks, so that nothing is said about it."""
        for name in self.expected.network.parameters:
            if name not in self.table.columns and name not in self.expected.numbers and name not in known:
                yield self._miss(name, f"no column has a header that says {name}")
        errors = self.expected.network.errors
        if TOTAL_ERROR not in self.table.columns and not all(e in self.table.columns for e in errors):
            yield self._miss(TOTAL_ERROR, f"no column has a header that says {TOTAL_ERROR}")
        if len(self.table.rows) < 2:
            yield self._miss("updates", "the table has one row: there are no updates to check")
        if not self._compared:
            yield self._miss("formulas", "the table holds numbers and no formulas")
        below = self._find_rows_below()
        if below:
            yield self._miss("rows", f"row {below} and what follows is apart from the table by an empty row")

    def _miss(self, what: str, explanation: str) -> Finding:
        return Finding(UNREAD, what, self.table.header, None, None, explanation)

    def _find_rows_below(self) -> int | None:
        """Return the first row below a gap in which most quantities have formulas again."""
        sheet = self.cells.formulas.workbook.sheets[self.table.sheet]
        counts: Counter[int] = Counter()
        headers = {row for row, _ in sheet.texts}
        for column in self.table.columns.values():
            cells = sheet.columns.get(column, {})
            counts.update(row for row, cell in cells.items() if row > self.table.rows[-1] and cell.formula is not None)
        rows = sorted(row for row, count in counts.items() if count * 2 > len(self.table.columns))
        if not rows or any(self.table.last_row < header < rows[0] for header in headers):
            return None
        return rows[0]


def _is_number(cell: Cell) -> bool:
    return isinstance(cell.value, int | float) and not isinstance(cell.value, bool)


def _group(cells: list[_Wrong]) -> Iterator[list[_Wrong]]:
    """Join cells that share a formula or an explanation: a mistake that changes with the row is one."""
    groups: list[tuple[set[Hashable], list[_Wrong]]] = []
    for cell in cells:
        marks = {cell.mistake.explanation, *([cell.formula] if cell.formula is not None else [])}
        same = [group for group in groups if group[0] & marks]
        for group in same:
            groups.remove(group)
        groups.append(
            (marks.union(*(g[0] for g in same)), sorted([cell, *(c for g in same for c in g[1])], key=lambda c: c.row))
        )
    for _, members in groups:
        yield members
