"""Tables that compute the same: their formulas in terms of quantities, and their numbers, wherever they stand."""

import hashlib
from collections.abc import Hashable, Iterator
from itertools import groupby

from backprop.check.cells import Address
from backprop.check.formulas import Area, Call, Constant, Reference, Tree, UnreadableError
from backprop.check.quantities import TableCells
from backprop.network import LEARNING_RATE


def hash_table(cells: TableCells) -> str:
    """Hash a table's formulas and numbers, with η."""
    digest, texts = hashlib.sha256(), dict[Hashable, str]()
    digest.update(f"{cells.number(LEARNING_RATE, 0)!r};{cells.table.row_count};".encode())
    for quantity in sorted(cells.table.columns):
        for text, run in groupby(_describe_column(cells, quantity, texts)):
            digest.update(f"{quantity}={text}*{len(list(run))};".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _describe_column(cells: TableCells, quantity: str, texts: dict[Hashable, str]) -> Iterator[str]:
    column, last, text, alike = cells.column(quantity), None, "", range(0)
    for row in cells.table.rows:
        cell = column.get(row)
        if cell is None or cell.formula is None:
            yield "" if cell is None else repr(cell.value)
            continue
        if cell.formula is not last or row not in alike:
            last, text, alike = cell.formula, _describe(cells, quantity, row, texts), cells.find_alike(quantity, row)
            alike = alike if row in alike else range(0)
        yield text


def _describe(cells: TableCells, quantity: str, row: int, texts: dict[Hashable, str]) -> str:
    address = cells.table.address(quantity, row)
    try:
        key = cells.key(quantity, row)
        if key not in texts:
            tree = cells.formulas.tree(address)
            texts[key] = _write(cells, tree, address, row) if tree is not None else ""
        return texts[key]
    except (UnreadableError, RecursionError):
        return cells.formulas.workbook.formula(address) or ""


def _write(cells: TableCells, tree: Tree, origin: Address, row: int) -> str:
    if isinstance(tree, Constant):
        return repr(tree.value)
    if isinstance(tree, Reference):
        target = tree.target(origin)
        place = cells.locate(target, row)
        return repr(cells.actual(target)) if place is None else f"{place.name}[{place.rows}]"
    if isinstance(tree, Area):
        return f"{_write(cells, tree.first, origin, row)}:{_write(cells, tree.last, origin, row)}"
    assert isinstance(tree, Call)
    return f"{tree.name}({','.join(_write(cells, argument, origin, row) for argument in tree.arguments)})"
