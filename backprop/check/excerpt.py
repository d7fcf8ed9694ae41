"""The part of a sheet that shows a table and its findings: headers, first rows, and rows where a mistake begins."""

from collections.abc import Iterable, Sequence

from backprop.check.cells import Address, Rectangle
from backprop.check.findings import Excerpt, TableReport, read_cells
from backprop.check.formulas import UnreadableError
from backprop.check.references import Formulas, Scope

_FIRST_ROWS, _MAX_ROWS, _MAX_COLUMNS = 3, 24, 60
_MAX_TEXT = 24


def make_excerpts(formulas: Formulas, table: TableReport) -> tuple[Excerpt, ...]:
    """Return an excerpt of the table's sheet, and of each other sheet that has a finding of it."""
    ranges: dict[str, list[Rectangle]] = {table.sheet: []}
    for finding in table.findings:
        for sheet, cells in read_cells(finding.cells, table.sheet):
            ranges.setdefault(sheet, []).append(cells)
    _, header = read_cells(table.header, table.sheet)[0]
    found = []
    for sheet, areas in ranges.items():
        first = range(header.top, header.top + _FIRST_ROWS + 1) if sheet == table.sheet else ()
        found.append(_make_excerpt(formulas, sheet, first, areas))
    return tuple(excerpt for excerpt in found if excerpt.rows)


def _make_excerpt(formulas: Formulas, sheet: str, first: Iterable[int], ranges: Sequence[Rectangle]) -> Excerpt:
    sheets = formulas.workbook.sheets
    columns = sheets[sheet].columns if sheet in sheets else {}
    begun = [row for cells in ranges for row in (cells.top - 1, cells.top) if row]
    rows = sorted(list(dict.fromkeys((*first, *begun)))[:_MAX_ROWS])
    used = {column for column, cells in columns.items() if any(row in cells for row in rows)}
    used |= {column for cells in ranges for column in (cells.left, cells.right)}
    wanted = {column for cells in ranges for column in range(cells.left, min(cells.right, cells.left + 2) + 1)}
    # Where there are too many, those of findings come first, then those on the left.
    shown = sorted(sorted(used, key=lambda column: (column not in wanted, column))[:_MAX_COLUMNS])
    scope = Scope(formulas, formulas.workbook.value, runs_on=True)
    texts = (tuple(_show(scope, Address(sheet, row, column)) for column in shown) for row in rows)
    return Excerpt(sheet, tuple(shown), tuple(rows), tuple(texts))


def _show(scope: Scope, address: Address) -> str:
    """Return what a cell shows, as short as a look at the sheet needs it; programs store no results at times."""
    try:
        value = scope.value(address)
    except (UnreadableError, RecursionError):
        return ""
    if isinstance(value, str):
        line = " ".join(value.split())
        return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}…"
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value + 0.0:.5g}" if isinstance(value, int | float) else ""
