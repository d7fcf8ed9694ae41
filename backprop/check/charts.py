"""Charts of the total error that leave rows out, and tables beside charts that draw something else."""

from collections import defaultdict
from collections.abc import Iterator

from openpyxl.utils.cell import range_boundaries

from backprop.check.cells import ForeignWorkbook
from backprop.check.findings import CHART, Finding, format_cells
from backprop.check.tables import ForeignTable
from backprop.network import TOTAL_ERROR


def check_charts(workbook: ForeignWorkbook, table: ForeignTable) -> Iterator[Finding]:
    """Yield what is wrong with the charts of a table."""
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
