"""Findings that do not make a cell compute wrongly: results that are not those of the formulas, and odd charts."""

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sympy as sp
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries

from backprop.check.findings import CHART, STALE, Finding
from backprop.check.parser import UnreadableError
from backprop.check.reading import Book
from backprop.check.resolving import BEFORE, Resolved, Resolver, as_sympy, leaves, runs
from backprop.check.tables import QUANTITIES, Table
from backprop.network import LEARNING_RATE, TOTAL_ERROR


def stale_findings(book: Book, table: Table, resolver: Resolver) -> Iterator[Finding]:
    """Evaluate each formula with the results its neighbours show, and compare with the result it shows itself."""
    for quantity in (q for q in QUANTITIES if q in table.columns):
        rows = [
            row for row in range(table.first_row, table.last_row + 1) if _is_stale(book, table, resolver, quantity, row)
        ]
        if rows:
            cells = ",".join(runs(table.letter(quantity), rows))
            words = "the stored results are not those of the formulas: let Excel recalculate and save"
            yield Finding(STALE, quantity, cells, None, None, words, None)


def _is_stale(book: Book, table: Table, resolver: Resolver, quantity: str, row: int) -> bool:
    cell = resolver.cell(quantity, row)
    if cell is None or not cell.is_formula or not isinstance(cell.shown, int | float):
        return False
    try:
        resolved = resolver.resolve(quantity, row)
        names = tuple(sorted(leaves(resolved)))
        values = [_shown(book, table, resolver, name, row) for name in names]
        if any(value is None for value in values):
            return False
        computed, shown = float(_compiled(resolved, names)(*values)), float(cell.shown)
    except (UnreadableError, ArithmeticError, ValueError, TypeError, RecursionError):
        return False
    return not math.isclose(computed, shown, rel_tol=1e-6, abs_tol=1e-12)


@lru_cache(maxsize=2048)
def _compiled(resolved: Resolved, names: tuple[str, ...]) -> Any:
    return sp.lambdify([sp.Symbol(name) for name in names], as_sympy(resolved), modules="math")


def _shown(book: Book, table: Table, resolver: Resolver, name: str, row: int) -> float | None:
    if name == LEARNING_RATE and resolver.learning_rate is not None:
        sheet, place = resolver.learning_rate
        cell = book.sheets.get(sheet, {}).get(place)
    else:
        base, _, distance = name.partition("@")
        offset = int(distance) if distance else -1 if base.endswith(BEFORE) else 0
        cell = resolver.cell(base.removesuffix(BEFORE), row + offset)
    value = None if cell is None else cell.shown if cell.is_formula else cell.content
    return float(value) if isinstance(value, int | float) else None


def chart_findings(book: Book, table: Table) -> Iterator[Finding]:
    """Find charts of the total error that leave rows out, and tables beside charts that draw something else."""
    if TOTAL_ERROR not in table.columns:
        return
    shown: dict[str, set[int]] = defaultdict(set)
    on_sheet = [s for s in book.series if s.sheet == table.sheet]
    for series in book.series:
        rows = _rows_of_error(series.reference, table)
        shown[series.reference] |= rows
    drawn = {reference: rows for reference, rows in shown.items() if rows}
    everything = set(range(table.first_row, table.last_row + 1))
    letter = get_column_letter(table.columns[TOTAL_ERROR])
    if drawn and not any(rows >= everything for rows in drawn.values()):
        best = max(drawn, key=lambda reference: len(drawn[reference]))
        missing = sorted(everything - drawn[best])
        words = f"the chart draws {best} and leaves out {len(missing)} of {table.rows} rows"
        yield Finding(CHART, TOTAL_ERROR, ",".join(runs(letter, missing)), None, _whole(table, letter), words, None)
    elif on_sheet and not drawn:
        words = f"no chart draws the total error; one draws {on_sheet[0].reference}"
        yield Finding(CHART, TOTAL_ERROR, f"{letter}{table.first_row}", None, _whole(table, letter), words, None)


def _whole(table: Table, letter: str) -> str:
    return f"'{table.sheet}'!${letter}${table.first_row}:${letter}${table.last_row}"


def _rows_of_error(reference: str, table: Table) -> set[int]:
    """Give the table's rows that a chart reference draws, if it draws the total error."""
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
