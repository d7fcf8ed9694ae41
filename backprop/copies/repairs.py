"""What makes a workbook right: the formulas that a check suggests in every cell they are meant for, and new results."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from backprop.check.cells import Address, ForeignWorkbook
from backprop.check.evaluation import Value
from backprop.check.findings import FORMULA, STALE, TEXT, TYPED, Finding, TableReport, read_cells
from backprop.check.formulas import UnreadableError
from backprop.check.graph import CircularError, Graph
from backprop.check.patterns import Patterns
from backprop.check.references import Formulas, Scope, expand, find_origin, read_number_as_text
from backprop.copies.worksheet import Content

_WRITTEN = (FORMULA, TYPED)


def find_cells(finding: Finding, table: TableReport) -> list[Address]:
    """Return the cells of a finding; its suggestion is written for the first."""
    return [
        Address(sheet, row, column)
        for sheet, cells in read_cells(finding.cells, table.sheet)
        for row in range(cells.top, cells.bottom + 1)
        for column in range(cells.left, cells.right + 1)
    ]


def repair(workbook: ForeignWorkbook, table: TableReport, finding: Finding) -> Mapping[Address, Content]:
    """Return what a finding's cells have to hold; nothing where there is no suggestion."""
    cells = find_cells(finding, table)
    if any(cell.sheet not in workbook.sheets for cell in cells):
        return {}
    if finding.kind == STALE:
        return dict.fromkeys(cells, Content())
    if finding.expected is None or finding.kind not in (*_WRITTEN, TEXT):
        return {}
    if finding.kind == TEXT:
        return {cell: Content(value=read_number_as_text(workbook.value(cell))) for cell in cells}
    first = cells[0]
    pattern = Patterns(first.sheet).intern(finding.expected, first.row, first.column)
    contents = {cell: Content(formula=pattern.text(cell.row, cell.column)) for cell in cells}
    if finding.rule:  # which is about each cell by itself
        return contents
    for array in {array: None for cell in cells if (array := find_array(workbook, cell))}:
        contents |= dict.fromkeys(array, Content())
        reference = f"{array[0].a1}:{array[-1].a1}"
        contents[array[0]] = Content(formula=pattern.text(array[0].row, array[0].column), array=reference)
    return contents


def find_array(workbook: ForeignWorkbook, address: Address) -> tuple[Address, ...]:
    """Return the cells that one array formula fills together with a cell; none where that is alone."""
    cell = workbook.cell(address)
    if cell is None or cell.array is None or cell.array[:2] == cell.array[2:]:
        return ()
    top, left, bottom, right = cell.array
    columns = range(left, right + 1)
    return tuple(Address(address.sheet, row, column) for row in range(top, bottom + 1) for column in columns)


def find_outdated(formulas: Formulas, changed: Iterable[Address]) -> set[Address]:
    """Return the formula cells whose results depend on changed cells, or may: what some formulas read is not known."""
    readers, found = defaultdict[Address, list[Address]](list), set(changed)
    for cell in formulas.workbook.formulas({}):
        try:
            for precedent in _find_precedents(formulas, cell):
                readers[precedent].append(cell)
        except (UnreadableError, RecursionError):
            found.add(cell)
    waiting = list(found)
    while waiting:
        following = [reader for reader in readers.pop(waiting.pop(), ()) if reader not in found]
        found.update(following)
        waiting += following
    return {cell for cell in found if formulas.workbook.formula(cell) is not None}


def _find_precedents(formulas: Formulas, address: Address) -> Iterator[Address]:
    cell = formulas.workbook.cell(address)
    assert cell is not None
    is_placed, references = formulas.find_places(address)
    if is_placed:
        raise UnreadableError("which cells it reads shows when it is computed")
    for reference in references:
        yield from expand(reference, find_origin(cell, address))


def compute_results(formulas: Formulas, cells: Iterable[Address]) -> Mapping[Address, Content]:
    """Compute formulas that have no result; what can't be computed here is left to the program that opens the file."""

    def stored(address: Address) -> Value:
        cell = formulas.workbook.cell(address)
        return None if cell is None or cell.formula is None else cell.value

    scope, found = Scope(formulas, stored, runs_on=True), dict[Address, Content]()
    with suppress(CircularError):
        for cell in Graph(formulas, list(cells)).order:
            with suppress(UnreadableError, RecursionError):
                value = scope.value(cell)
                if isinstance(value, int | float) and math.isfinite(value):
                    found[cell] = Content(value=float(value))
    return found
