"""References of a table's formulas, followed through helper cells, names and ranges to the table's own quantities."""

from dataclasses import dataclass, field
from fractions import Fraction

from backprop.check.cells import Address, ForeignCell, ForeignWorkbook
from backprop.check.expressions import (
    Matrix,
    Resolved,
    Symbol,
    apply_function,
    multiply_matrices,
    quantity_of,
    rows_of,
    symbol_of,
)
from backprop.check.formulas import (
    Area,
    Call,
    Name,
    NoNumberError,
    Number,
    Reference,
    Tree,
    UnreadableError,
    parse,
    r1c1_pattern,
)
from backprop.check.tables import ForeignTable
from backprop.network import LEARNING_RATE

MAX_AREA, MAX_CHAIN, MAX_CELLS_READ = 400, 40, 1000


@dataclass(frozen=True)
class _Origin:
    """The cell of a formula, the table row that it is resolved for, and the cells and names that led to it."""

    address: Address
    row: int
    chain: tuple[tuple[object, ...], ...] = ()


@dataclass
class Resolver:
    """Resolve the formulas of one table."""

    workbook: ForeignWorkbook
    table: ForeignTable
    _trees: dict[tuple[str, str], Tree] = field(init=False, default_factory=dict)
    _resolved: dict[Address, Resolved] = field(init=False, default_factory=dict)
    _cells_read: int = field(init=False, default=0)
    """By the formula at hand: twenty cells that each double the one before are a million."""

    def __post_init__(self) -> None:
        self._quantities = {column: quantity for quantity, column in self.table.columns.items()}

    def cell(self, quantity: str, row: int) -> ForeignCell | None:
        """Return a cell of the table."""
        return self.workbook.cell(self.table.address(quantity, row))

    def number(self, symbol: Symbol, row: int) -> float | None:
        """Return the number that the sheet shows for a symbol in a formula of a row, or None."""
        quantity = quantity_of(symbol)
        if quantity == LEARNING_RATE:
            return None if self.table.learning_rate is None else self.workbook.number(self.table.learning_rate)
        if quantity not in self.table.columns:
            return None
        return self.workbook.number(self.table.address(quantity, row + rows_of(symbol)))

    def resolve(self, quantity: str, row: int) -> Resolved:
        """Resolve the formula of a cell. Raises UnreadableError that names what can't be read, and in which cell."""
        address = self.table.address(quantity, row)
        if address not in self._resolved:
            self._cells_read = 0
            self._resolved[address] = self._resolve_cell(_Origin(address, row))
        return self._resolved[address]

    def _resolve_cell(self, origin: _Origin) -> Resolved:
        address = origin.address
        if address in origin.chain:
            raise NoNumberError(f"{address.a1} refers to itself")
        if len(origin.chain) > MAX_CHAIN:
            raise UnreadableError(f"{address.a1} depends on too long a chain of cells")
        self._cells_read += 1
        if self._cells_read > MAX_CELLS_READ:
            raise UnreadableError("it depends on too many cells")
        cell = self.workbook.cell(address)
        if cell is None:
            return Number(Fraction(0))  # Excel takes an empty cell for 0
        if cell.is_formula:
            return self._resolve_formula(cell.content, origin)
        if isinstance(cell.content, int | float):
            return Number(Fraction(repr(float(cell.content))))
        raise NoNumberError(f"{address.a1} holds the text “{str(cell.content)[:30]}”")

    def _resolve_formula(self, formula: str, origin: _Origin) -> Resolved:
        address = origin.address
        key = (address.sheet, r1c1_pattern(formula, address))
        try:
            if key not in self._trees:
                self._trees[key] = parse(formula, address)
            tree = self._trees[key]
            if self._continues_down(origin) and not isinstance(tree, Reference):
                raise UnreadableError(f"column {address.letters} runs on under a header that says nothing")
            return self._resolve_tree(tree, _Origin(address, origin.row, (*origin.chain, address)))
        except UnreadableError as error:
            text = str(error)
            raise type(error)(text if "in " + address.a1 in text else f"{text} in {address.a1}") from error

    def _continues_down(self, origin: _Origin) -> bool:
        """Return whether each row continues the column, as a weight's: its last row would read all before it."""
        sheet, row, column = origin.address
        before = {link[1] for link in origin.chain if (link[0], link[2]) == (sheet, column)}
        return sheet == self.table.sheet and row in self.table.rows and len(before - {row}) > 1

    def _resolve_tree(self, tree: Tree, origin: _Origin) -> Resolved:
        if isinstance(tree, Number):
            return tree
        if isinstance(tree, Reference):
            return self._resolve_reference(tree.target(origin.address), origin)
        if isinstance(tree, Name):
            return self._resolve_name(tree, origin)
        if isinstance(tree, Area):
            raise UnreadableError("a range stands where a number should")
        if tree.name == "MMULT":
            product = self._resolve_argument(tree, origin)
            if len(product) * len(product[0]) != 1:
                raise UnreadableError("MMULT gives several numbers where one should stand")
            return product[0][0]
        return apply_function(tree.name, [self._resolve_argument(argument, origin) for argument in tree.arguments])

    def _resolve_argument(self, tree: Tree, origin: _Origin) -> Matrix:
        """Resolve an argument to a matrix; a single value is a matrix of one."""
        if isinstance(tree, Area):
            return self._resolve_area(tree, origin)
        if isinstance(tree, Call) and tree.name == "MMULT":
            if len(tree.arguments) != 2:
                raise UnreadableError("MMULT needs two ranges")
            left, right = (self._resolve_argument(argument, origin) for argument in tree.arguments)
            return multiply_matrices(left, right)
        return [[self._resolve_tree(tree, origin)]]

    def _resolve_area(self, area: Area, origin: _Origin) -> Matrix:
        first = area.first.target(origin.address)
        last = area.last.target(origin.address)
        top, bottom = sorted((first.row, last.row))
        left, right = sorted((first.column, last.column))
        if (bottom - top + 1) * (right - left + 1) > MAX_AREA:
            raise UnreadableError("a range is too large")
        return [
            [self._resolve_reference(Address(first.sheet, row, column), origin) for column in range(left, right + 1)]
            for row in range(top, bottom + 1)
        ]

    def _resolve_name(self, name: Name, origin: _Origin) -> Resolved:
        target = self.workbook.names.get(name.text.upper())
        if target is None:
            raise UnreadableError(f"the name “{name.text[:40]}” is not defined")
        if len(origin.chain) > MAX_CHAIN:
            raise UnreadableError("names refer to names without end")
        chain = (*origin.chain, (*origin.address, name.text))
        return self._resolve_tree(parse(f"={target}", origin.address), _Origin(origin.address, origin.row, chain))

    def _resolve_reference(self, target: Address, origin: _Origin) -> Resolved:
        if target == self.table.learning_rate:
            return symbol_of(LEARNING_RATE)
        inside = target.sheet == self.table.sheet and target.row in self.table.rows
        if inside and target.column in self._quantities:
            return symbol_of(self._quantities[target.column], target.row - origin.row)
        if target.sheet not in self.workbook.sheets:
            raise UnreadableError(f"the sheet “{target.sheet[:40]}” does not exist")
        return self._resolve_cell(_Origin(target, origin.row, origin.chain))
