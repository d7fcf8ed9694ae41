"""Charts of the total error: whether one draws all its rows."""

from collections import defaultdict
from collections.abc import Iterator

from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries, rows_from_range

from backprop.check.cells import Address
from backprop.check.findings import CHART, Finding, format_cells, quote_sheet
from backprop.check.references import Formulas
from backprop.check.tables import ForeignTable
from backprop.network import TOTAL_ERROR

_MAX_CELLS = 20_000


def check_charts(formulas: Formulas, table: ForeignTable) -> Iterator[Finding]:
    """Find charts of the total error that leave rows out, and tables beside charts that draw something else."""
    if TOTAL_ERROR not in table.columns:
        return
    drawn: dict[str, set[int]] = defaultdict(set)
    for series in formulas.workbook.series:
        drawn[series.reference] |= _find_rows_of_error(formulas, series.reference, table)
    letters = table.letters(TOTAL_ERROR)
    whole = f"{quote_sheet(table.sheet)}!${letters}${table.first_row}:${letters}${table.last_row}"
    on_sheet = [series for series in formulas.workbook.series if series.sheet == table.sheet]
    best = max(drawn, key=lambda reference: len(drawn[reference]), default=None)
    if best is not None and drawn[best]:
        missing = sorted(set(table.complete_rows) - drawn[best])
        if missing:
            explanation = f"the chart draws {best} and leaves out {len(missing)} of {table.row_count} rows"
            yield Finding(CHART, TOTAL_ERROR, format_cells(letters, missing), None, whole, explanation)
    elif on_sheet:
        explanation = f"no chart draws the total error; one draws {on_sheet[0].reference}"
        yield Finding(CHART, TOTAL_ERROR, f"{letters}{table.first_row}", None, whole, explanation)


def _find_rows_of_error(formulas: Formulas, reference: str, table: ForeignTable) -> set[int]:
    """Return the table's rows whose total error a chart draws, from its own cells or from copies of them."""
    errors = {table.address(TOTAL_ERROR, row): row for row in table.complete_rows}
    cells = list(_find_cells(reference))
    sources = (cell if cell in errors else formulas.follow_copies(cell) for cell in cells)
    return {errors[source] for source in sources if source in errors}


def _find_cells(reference: str) -> Iterator[Address]:
    for part in reference.strip("()").split(","):
        sheet, _, area = part.rpartition("!")
        name = sheet.strip("'").replace("''", "'")
        try:
            for row in rows_from_range(area.replace("$", "")) if _is_small(area) else ():
                for coordinate in row:
                    yield Address(name, *coordinate_to_tuple(coordinate))
        except (ValueError, TypeError):
            continue


def _is_small(area: str) -> bool:
    bounds = range_boundaries(area)
    if None in bounds:
        return False  # whole rows or columns
    left, top, right, bottom = (bound or 0 for bound in bounds)
    return (right - left + 1) * (bottom - top + 1) <= _MAX_CELLS
