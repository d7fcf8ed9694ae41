"""Formulas and the cells that they lead to: names and Excel tables looked up, helper cells computed through."""

import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from backprop.check.cells import Address, Cell, ExcelTable, ForeignWorkbook
from backprop.check.evaluation import Evaluation, Value
from backprop.check.formulas import (
    Area,
    NoNumberError,
    Reference,
    Tree,
    UnreadableError,
    calls,
    find_references,
    parse,
)
from backprop.check.functions import Number
from backprop.check.patterns import Pattern

MAX_CHAIN, MAX_AREA_IN_KEY = 40, 400
PLACE_DEPENDENT = frozenset({"ROW", "COLUMN", "INDEX", "OFFSET"})
_NUMBER_AS_TEXT = re.compile(r"'?\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*")
_STRUCTURED = re.compile(r"([^\W\d][\w.]*)?\[(.*)\]", re.DOTALL)
_PART = re.compile(r"\[((?:[^\[\]']|'.)*)\]")


def read_number_as_text(text: object) -> float | None:
    """Return the number that a text such as “0,15” means, or None."""
    match = _NUMBER_AS_TEXT.fullmatch(text.replace("\xa0", " ")) if isinstance(text, str) else None
    number = float(match.group(1).replace(",", ".")) if match else math.inf
    return number if math.isfinite(number) else None


@dataclass
class Formulas:
    """The formulas of a workbook as trees, parsed once for each pattern."""

    workbook: ForeignWorkbook
    _trees: dict[Pattern, Tree | UnreadableError] = field(init=False, default_factory=dict)
    _places: dict[Pattern, tuple[bool, tuple[Reference | Area, ...]]] = field(init=False, default_factory=dict)
    _keys: dict[Hashable, int] = field(init=False, default_factory=dict)
    _depth: int = field(init=False, default=0)

    def tree(self, address: Address) -> Tree | None:
        """Return the formula of a cell; None where it has none. Raises UnreadableError."""
        cell = self.workbook.cell(address)
        if cell is None or cell.formula is None:
            return None
        if cell.formula not in self._trees:
            try:
                origin = find_origin(cell, address)
                text = cell.formula.text(origin.row, origin.column)
                self._trees[cell.formula] = self.parse(text, origin)
            except UnreadableError as error:
                self._trees[cell.formula] = error
        tree = self._trees[cell.formula]
        if isinstance(tree, UnreadableError):
            raise tree
        return tree

    def parse(self, formula: str, origin: Address) -> Tree:
        """Parse a formula that stands in no cell as if it stood in one. Raises UnreadableError."""
        return parse(formula, origin, self._resolve)

    def references(self, address: Address) -> tuple[Reference | Area, ...]:
        """Return the cells and areas that a cell's formula names; none where it can't be read."""
        try:
            return self.find_places(address)[1]
        except UnreadableError:
            return ()

    def targets(self, address: Address) -> list[tuple[Reference, Address]]:
        """Return the single cells that a cell's formula names, and what they point to."""
        try:
            single = [r for r in self.references(address) if isinstance(r, Reference)]
            return [(reference, reference.target(self._origin(address))) for reference in single]
        except UnreadableError:
            return []

    def find_places(self, address: Address) -> tuple[bool, tuple[Reference | Area, ...]]:
        """Return whether what a formula reads depends on its place, and the cells and areas that it names.

        Raises UnreadableError.
        """
        tree = self.tree(address)
        cell = self.workbook.cell(address)
        if tree is None or cell is None or cell.formula is None:
            return False, ()
        if cell.formula not in self._places:
            self._places[cell.formula] = (calls(tree, PLACE_DEPENDENT), tuple(find_references(tree)))
        return self._places[cell.formula]

    def _origin(self, address: Address) -> Address:
        cell = self.workbook.cell(address)
        return address if cell is None else find_origin(cell, address)

    def copied(self, address: Address) -> Address | None:
        """Return the cell that a cell only repeats, or None where it does something else."""
        try:
            tree = self.tree(address)
            return tree.target(self._origin(address)) if isinstance(tree, Reference) else None
        except UnreadableError:
            return None

    def follow_copies(self, address: Address) -> Address:
        """Return the cell that holds the content of a cell that only repeats another one."""
        for _ in range(10):
            following = self.copied(address)
            if following is None:
                break
            address = following
        return address

    def key(self, address: Address, classify: Callable[[Address], Hashable]) -> Hashable:
        """Return a key that is the same for cells that compute the same from the cells that `classify` names.

        `classify` returns None for a cell that is to be followed. Raises UnreadableError.
        """
        return self._find_key(address, classify, {}, 0)

    def _find_key(
        self, address: Address, classify: Callable[[Address], Hashable], known: dict[Address, Hashable], depth: int
    ) -> Hashable:
        cell = self.workbook.cell(address)
        if cell is None or cell.formula is None:
            return () if cell is None else (type(cell.value), cell.value)
        if depth > MAX_CHAIN:
            raise UnreadableError("it depends on too long a chain of cells")
        is_placed, references = self.find_places(address)
        origin, parts = find_origin(cell, address), list[Hashable]()
        for reference in references:
            for target in expand(reference, origin):
                if target not in known:
                    name, known[target] = classify(target), target  # in case it leads back to itself
                    known[target] = self._find_key(target, classify, known, depth + 1) if name is None else name
                parts.append(known[target])
        place = (address.row, address.column) if is_placed else ()
        inside = (address.row - origin.row, address.column - origin.column)
        # A number for each: nested keys of cells that read a cell twice would grow without end.
        return self._keys.setdefault((cell.formula, inside, place, *parts), len(self._keys))

    def _resolve(self, operand: str, origin: Address) -> Tree:
        if "[" in operand:
            return self._resolve_structured(operand, origin)
        sheet, _, name = operand.rpartition("!")
        scopes = (sheet.strip("'").replace("''", "'") or origin.sheet, None)
        found = (self.workbook.names.get((scope, name.upper())) for scope in scopes)
        definition = next((text for text in found if text is not None), None)
        if definition is None:
            raise UnreadableError(f"the name “{name[:40]}” is not defined")
        if self._depth > MAX_CHAIN:
            raise UnreadableError("names refer to names without end")
        self._depth += 1
        try:
            return parse(f"={definition}", origin, self._resolve)
        finally:
            self._depth -= 1

    def _resolve_structured(self, operand: str, origin: Address) -> Tree:
        """Read Table1[[#This Row],[w1]], Table1[@w1], [@w1], Table1[w1] and Table1[[a]:[b]]."""
        match = _STRUCTURED.fullmatch(operand)
        table = self._find_table(match.group(1), origin) if match else None
        if match is None or table is None:
            raise UnreadableError(f"“{operand[:40]}” is not understood")
        inner = match.group(2).strip()
        is_row = inner.startswith("@")
        inner = inner.removeprefix("@")
        parts = _PART.findall(inner) if "[" in inner else [inner]
        special = {part.casefold() for part in parts if part.startswith("#")}
        names = [re.sub(r"'(.)", r"\1", part).casefold() for part in parts if part and not part.startswith("#")]
        columns = [column.casefold() for column in table.columns]
        if not all(name in columns for name in names) or special - {"#this row", "#data"}:
            raise UnreadableError(f"“{operand[:40]}” is not understood")
        wanted = names or columns
        left, right = (table.cells.left + columns.index(name) for name in (wanted[0], wanted[-1]))
        sheet = table.sheet if table.sheet != origin.sheet else None
        if is_row or "#this row" in special:
            ends = [Reference(sheet, 0, column, False, True) for column in (left, right)]
        else:
            rows = table.cells.top + table.header_rows, table.cells.bottom - table.total_rows
            ends = [Reference(sheet, row, column, True, True) for row, column in zip(rows, (left, right), strict=True)]
        return ends[0] if ends[0] == ends[1] else Area(*ends)

    def _find_table(self, name: str | None, origin: Address) -> ExcelTable | None:
        for table in self.workbook.tables:
            cells = table.cells
            is_around = table.sheet == origin.sheet and cells.top <= origin.row <= cells.bottom
            if name is not None and table.name.casefold() == name.casefold():
                return table
            if name is None and is_around and cells.left <= origin.column <= cells.right:
                return table
        return None


def find_origin(cell: Cell, address: Address) -> Address:
    """Return the cell in which a cell's formula is written: an array formula's first one."""
    return address if cell.array is None else Address(address.sheet, cell.array.top, cell.array.left)


def expand(reference: Reference | Area, origin: Address) -> list[Address]:
    """Return the cells that a reference in a formula at `origin` means. Raises UnreadableError for a large range."""
    if isinstance(reference, Reference):
        return [reference.target(origin)]
    sheet, cells = reference.target(origin)
    if (cells.bottom - cells.top + 1) * (cells.right - cells.left + 1) > MAX_AREA_IN_KEY:
        raise UnreadableError("a range is too large")
    columns = range(cells.left, cells.right + 1)
    return [Address(sheet, row, column) for row in range(cells.top, cells.bottom + 1) for column in columns]


@dataclass
class Scope:
    """Cells computed where some are known: what `known` does not give is computed from its formula."""

    formulas: Formulas
    known: Callable[[Address], Value]
    """The value of a cell, or None for one that is not known."""
    source: Callable[[Address], Address] = lambda address: address
    """The cell that a cell which only repeats another one gets its content from."""
    runs_on: bool = False
    """Whether a column may be followed from row to row: a weight's last row would read all before it."""
    reads: set[Address] = field(init=False, default_factory=set)
    """The cells that were read, known or not."""
    _values: dict[Address, Value | UnreadableError] = field(init=False, default_factory=dict)
    _chain: dict[Address, None] = field(init=False, default_factory=dict)

    def value(self, address: Address) -> Value:
        """Return what a cell shows. Raises UnreadableError."""
        address = self.source(address)
        self.reads.add(address)
        known = self.known(address)
        if known is not None:
            return known
        if address not in self._values:
            try:
                self._values[address] = self._compute_cell(address)
            except UnreadableError as error:
                self._values[address] = error
        value = self._values[address]
        if isinstance(value, UnreadableError):
            raise value
        return value

    def _compute_cell(self, address: Address) -> Value:
        cell = self.formulas.workbook.cell(address)
        if cell is not None and cell.formula is not None:
            return self._follow(address)
        if address.sheet not in self.formulas.workbook.sheets:
            raise UnreadableError(f"the sheet “{address.sheet[:40]}” does not exist")
        if cell is None:
            return None
        number = read_number_as_text(cell.value)
        return cell.value if number is None else number

    def _follow(self, address: Address) -> Number:
        if address in self._chain:
            raise NoNumberError(f"{address.a1} refers to itself")
        if len(self._chain) > MAX_CHAIN:
            raise UnreadableError("it depends on too long a chain of cells")
        if not self.runs_on and sum(a[::2] == address[::2] for a in self._chain) > 1:
            raise UnreadableError(f"a header that says nothing stands over column {address.letters}, which runs on")
        self._chain[address] = None
        try:
            return self.compute(address)
        except UnreadableError as error:
            text = str(error)
            raise type(error)(text if " column " in text else f"{text} in column {address.letters}") from error
        finally:
            del self._chain[address]

    def compute(self, address: Address) -> Number:
        """Compute the formula of a cell, even of one that is known. Raises UnreadableError."""
        tree, cell = self.formulas.tree(address), self.formulas.workbook.cell(address)
        if tree is None or cell is None:
            raise NoNumberError("the cell holds no formula")
        origin = find_origin(cell, address)
        evaluation = Evaluation(origin, self.value, is_array=cell.array is not None)
        return evaluation.number(tree, address.row - origin.row, address.column - origin.column)
