"""What a check finds, as data: one record per file, per table and per mistake."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from openpyxl.utils.cell import range_boundaries

from backprop.check.cells import Address, Rectangle

FORMULA, TEXT, TYPED, STALE, CHART, UNREAD = "formula", "text", "typed", "stale", "chart", "unread"
COMPUTES_WRONGLY = frozenset({FORMULA, TEXT})
"""Kinds that make a cell compute something else than the derivation; the others count with --strict only."""
NOT_READ = "not read"
"""What is said of a network that was not understood."""
_RANGE = re.compile(r"(?:('(?:[^']|'')*')!)?([A-Z]{1,3}[0-9]{1,7}(?::[A-Z]{1,3}[0-9]{1,7})?)(?:,|$)")
RIGHT, WRONG, INCOMPLETE = "right", "wrong", "incomplete"


@dataclass(frozen=True)
class LearningRate:
    """Where a table takes η from, if it has a cell for it, its value now, and how a formula writes it."""

    cell: str | None
    value: float | None
    text: str


@dataclass(frozen=True)
class Effect:
    """What a wrong formula does, computed over the table's own run."""

    max_relative_error: float | None = None
    max_total_error_shift: float | None = None
    relative_errors: tuple[tuple[int, float], ...] = ()
    """|found - right| / |right| by iteration, of some iterations where there are many."""
    relative_shifts: tuple[tuple[int, float], ...] = ()
    """|E_total with the mistake - E_total| / E_total, the same; none where the mistake moves no weight."""


class Term(NamedTuple):
    """A term of the derivation, printed: sympy's own would lose the order of its factors between processes."""

    text: str
    mathml: str


@dataclass(frozen=True)
class Finding:
    """One mistake: where it is, what stands there, what belongs there, and why."""

    kind: str
    quantity: str
    cells: str
    found: str | None
    expected: str | None
    """Ready to paste into the first of the cells, or None."""
    explanation: str
    effect: Effect | None = None
    rule: tuple[Term, ...] = ()
    """Equal terms that say what belongs there: the quantity first."""

    @property
    def label(self) -> str:
        """Return the kind as readers know it."""
        return "wrong" if self.kind in COMPUTES_WRONGLY else "not read" if self.kind == UNREAD else self.kind

    @property
    def subject(self) -> str:
        """Return the quantity as it is written on paper."""
        return "η" if self.quantity == "eta" else self.quantity.replace("dE_d", "∂E/∂")

    @property
    def max_relative_error(self) -> float | None:
        """Return by how much of its size the quantity is off, at most."""
        return None if self.effect is None else self.effect.max_relative_error

    @property
    def max_total_error_shift(self) -> float | None:
        """Return by how much a wrong gradient moves E_total over the table's run, at most."""
        return None if self.effect is None else self.effect.max_total_error_shift


@dataclass(frozen=True)
class Excerpt:
    """Some rows and columns of a sheet, and what their cells show."""

    sheet: str
    columns: tuple[int, ...]
    rows: tuple[int, ...]
    texts: tuple[tuple[str, ...], ...]
    """Of each row: one for each column, empty where a cell shows nothing."""


@dataclass(frozen=True)
class TableReport:
    """One table of the exercise."""

    sheet: str
    header: str
    rows: int
    network: str
    """Such as “2-2-2 sigmoid, no biases”."""
    compared: int
    """How many formula cells were compared with the derivation."""
    learning_rate: LearningRate
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What is unusual and right, such as weights numbered another way."""
    fingerprint: str = ""
    """The same for tables with the same formulas and numbers, wherever they stand."""
    excerpts: tuple[Excerpt, ...] = ()

    @property
    def verdict(self) -> str:
        """Return wrong if something computes wrongly, else incomplete if something was not read, else right."""
        kinds = {finding.kind for finding in self.findings}
        if kinds & COMPUTES_WRONGLY:
            return WRONG
        return INCOMPLETE if UNREAD in kinds else RIGHT


@dataclass(frozen=True)
class Copy:
    """A marked copy of a file."""

    path: str
    error: str | None = None
    """Why it could not be written."""
    repaired: int | None = None
    """How many findings were repaired; None for a copy that only tells of them."""
    left: int = 0
    """How many findings are left that make it wrong, or that were not read."""


@dataclass(frozen=True)
class FileReport:
    """One file: its tables, or why it could not be checked."""

    file: str
    error: str | None
    tables: tuple[TableReport, ...] = ()
    copies: tuple[Copy, ...] = ()

    @property
    def verdict(self) -> str:
        """Return the verdict on all tables together: wrong if one is, else incomplete if one is."""
        verdicts = {table.verdict for table in self.tables}
        if WRONG in verdicts:
            return WRONG
        return INCOMPLETE if self.error or INCOMPLETE in verdicts or not verdicts else RIGHT

    @property
    def is_read(self) -> bool:
        """Return whether all of the file was read: it has tables, and nothing of them was left out."""
        findings = (finding for table in self.tables for finding in table.findings)
        return self.error is None and all(finding.kind != UNREAD for finding in findings)

    def counted(self, *, strict: bool) -> tuple[Finding, ...]:
        """Return the findings that make the sheet wrong."""
        findings = (finding for table in self.tables for finding in table.findings)
        return tuple(f for f in findings if strict or f.kind in COMPUTES_WRONGLY)


def format_cells(letters: str, rows: Sequence[int]) -> str:
    """Format ascending rows of a column as ranges: Z33:Z40,Z50."""
    runs = ([row for _, row in run] for _, run in groupby(enumerate(rows), lambda item: item[1] - item[0]))
    return ",".join(f"{letters}{run[0]}" + (f":{letters}{run[-1]}" if run[1:] else "") for run in runs)


def format_addresses(cells: Sequence[Address], sheet: str) -> str:
    """Format cells as ranges, column by column, or row by row where that is shorter: F30:N30; others' sheets named."""
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for cell in sorted(cells):
        columns[cell.sheet, cell.letters].append(cell.row)
    rows = {cell.row for cell in cells}
    if len(rows) == 1 < len(columns):
        runs = groupby(enumerate(sorted(cells)), lambda item: (item[1].sheet, item[1].column - item[0]))
        ends = [[cell for _, cell in run] for _, run in runs]
        texts = [(run[0].sheet, run[0].a1 + (f":{run[-1].a1}" if run[1:] else "")) for run in ends]
    else:
        texts = [(name, part) for (name, c), r in columns.items() for part in format_cells(c, r).split(",")]
    return ",".join(text if name == sheet else f"{quote_sheet(name)}!{text}" for name, text in texts)


def read_cells(text: str, sheet: str) -> list[tuple[str, Rectangle]]:
    """Read what `format_cells` and `format_addresses` wrote: each range with its sheet, `sheet` where none is named."""
    found = []
    for match in _RANGE.finditer(text):
        name = sheet if match[1] is None else match[1][1:-1].replace("''", "'")
        left, top, right, bottom = (int(bound or 1) for bound in range_boundaries(match[2]))
        found.append((name, Rectangle(top, left, bottom, right)))
    return found


def quote_sheet(name: str) -> str:
    """Format a sheet's name as formulas write it: 'My sheet'."""
    return "'{}'".format(name.replace("'", "''"))
