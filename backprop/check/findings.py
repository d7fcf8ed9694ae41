"""What a check finds, as data: one record per file, per table and per mistake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backprop.check.expected import LearningRate

FORMULA, TYPED, STALE, CHART, UNREAD = "formula", "typed", "stale", "chart", "unread"
COMPUTES_WRONGLY = frozenset({FORMULA})
"""Kinds that make a cell compute something else than the derivation; the others count with --strict only."""


@dataclass(frozen=True)
class Finding:
    """One mistake: where it is, what stands there, what belongs there, and why."""

    kind: str
    quantity: str
    cells: str
    found: str | None
    expected: str | None
    explanation: str
    max_relative_error: float | None = None
    max_total_error_shift: float | None = None
    """By how much a wrong gradient moves E_total over the table's run, at most."""


@dataclass(frozen=True)
class TableReport:
    """One table of the exercise."""

    sheet: str
    header: str
    rows: int
    learning_rate: LearningRate
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What is unusual and right, such as weights numbered another way."""


@dataclass(frozen=True)
class FileReport:
    """One file: its tables, or why it could not be checked."""

    file: str
    error: str | None
    tables: tuple[TableReport, ...] = ()
    fingerprint: str | None = None
    """The same for sheets with the same formulas and numbers."""

    def counted(self, *, strict: bool) -> tuple[Finding, ...]:
        """Return the findings that make the sheet wrong."""
        findings = (finding for table in self.tables for finding in table.findings)
        return tuple(f for f in findings if strict or f.kind in COMPUTES_WRONGLY)


def format_cells(letters: str, rows: Sequence[int]) -> str:
    """Format rows of a column as ranges: Z33:Z40,Z50."""
    return ",".join(_format_ranges(letters, rows))


def _format_ranges(letters: str, rows: Sequence[int]) -> Iterator[str]:
    start = rows[0]
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        if following != row + 1:
            yield f"{letters}{start}" if start == row else f"{letters}{start}:{letters}{row}"
            start = following or 0
