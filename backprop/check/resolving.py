"""Formulas of a table's cells → expressions in the table's own quantities, with every helper cell followed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp
from openpyxl.utils import get_column_letter

from backprop.check.parser import (
    Area,
    Call,
    Name,
    NoNumberError,
    Number,
    Reference,
    Tree,
    UnreadableError,
    parse,
    pattern_of,
)
from backprop.check.reading import Book, Cell, Place
from backprop.check.tables import CLASS, Table
from backprop.network import LEARNING_RATE

MAX_AREA, MAX_FOLLOWED, MAX_READ = 400, 40, 1000
_MAX_EXPONENT, _MAX_EXP_DEPTH = 709, 6
_MAX_POWER, _MAX_POWER_OF_SUM = 1000, 20
_MAX_BITS = 4000  # Excel's numbers need 1,100; sympy can't print those with more than 14,000
BEFORE = "_before"
_CONSTANTS = CLASS.constants


@dataclass(frozen=True)
class Leaf:
    """A quantity of the table: `w1` in the formula's own row, `w1_before` in the row above, `w1@+2` elsewhere."""

    name: str


Resolved = Leaf | Number | Call
"""A tree whose references have become leaves and numbers; it can be compared and cached."""


@dataclass
class Resolver:
    """Resolve the cells of one table. `learning_rate` is the cell that counts as η, once it is known."""

    book: Book
    table: Table
    learning_rate: tuple[str, Place] | None = None
    _quantities: dict[int, str] = field(init=False)
    _trees: dict[tuple[str, str], Tree] = field(init=False, default_factory=dict)
    _read: int = field(init=False, default=0)
    """How many cells the formula at hand has read so far: twenty that each double the one before are a million."""

    def __post_init__(self) -> None:
        self._quantities = {column: quantity for quantity, column in self.table.columns.items()}

    def cell(self, quantity: str, row: int) -> Cell | None:
        """Give a cell of the table."""
        return self.book.sheets[self.table.sheet].get((row, self.table.columns[quantity]))

    def resolve(self, quantity: str, row: int) -> Resolved:
        """Resolve the formula of a cell. Raises UnreadableError that names what can't be read, and in which cell."""
        place = (row, self.table.columns[quantity])
        self._read = 0
        return self._content(self.table.sheet, place, row, ())

    def _content(self, sheet: str, place: Place, row: int, followed: tuple[tuple[str, Place], ...]) -> Resolved:
        if (sheet, place) in followed:
            raise NoNumberError(f"{address(place)} refers to itself")
        if len(followed) > MAX_FOLLOWED:
            raise UnreadableError(f"{address(place)} depends on too long a chain of cells")
        self._read += 1
        if self._read > MAX_READ:
            raise UnreadableError("it depends on too many cells")
        cell = self.book.sheets.get(sheet, {}).get(place)
        if cell is None:
            return Number(Fraction(0))  # Excel takes an empty cell for 0
        if not cell.is_formula:
            if isinstance(cell.content, int | float):
                return Number(Fraction(repr(float(cell.content))))
            raise NoNumberError(f"{address(place)} holds the text “{str(cell.content)[:30]}”")
        key = (sheet, pattern_of(cell.content, *place))
        try:
            if key not in self._trees:
                self._trees[key] = parse(cell.content, *place)
            if self._runs_on(sheet, place, followed) and not isinstance(self._trees[key], Reference):
                raise UnreadableError(f"column {get_column_letter(place[1])} runs on under a header that says nothing")
            return self._tree(self._trees[key], sheet, place, row, (*followed, (sheet, place)))
        except UnreadableError as error:
            text = str(error)
            raise type(error)(text if "in " + address(place) in text else f"{text} in {address(place)}") from error

    def _runs_on(self, sheet: str, place: Place, followed: tuple[Any, ...]) -> bool:
        """Tell a column that each row continues, as a weight's, from helper cells: every row would read all before."""
        inside = sheet == self.table.sheet and self.table.first_row <= place[0] <= self.table.last_row
        before = {there[0] for where, there, *_ in followed if where == sheet and there[1] == place[1]}
        return inside and len(before - {place[0]}) > 1

    def _tree(self, tree: Tree, sheet: str, place: Place, row: int, followed: Any) -> Resolved:
        if isinstance(tree, Number):
            return tree
        if isinstance(tree, Reference):
            return self._reference(*_target(tree, sheet, place), row, followed)
        if isinstance(tree, Name):
            return self._name(tree, sheet, place, row, followed)
        if isinstance(tree, Area):
            raise UnreadableError("a range stands where a number should")
        if tree.name == "MMULT":
            product = self._argument(tree, sheet, place, row, followed)
            if len(product) * len(product[0]) != 1:
                raise UnreadableError("MMULT gives several numbers where one should stand")
            return product[0][0]
        arguments = [self._argument(argument, sheet, place, row, followed) for argument in tree.arguments]
        return _combined(tree.name, arguments)

    def _argument(self, tree: Tree, sheet: str, place: Place, row: int, followed: Any) -> list[list[Resolved]]:
        """Resolve an argument to a matrix; a single value is a matrix of one."""
        if isinstance(tree, Area):
            return self._area(tree, sheet, place, row, followed)
        if isinstance(tree, Call) and tree.name == "MMULT":
            if len(tree.arguments) != 2:
                raise UnreadableError("MMULT needs two ranges")
            left, right = (self._argument(a, sheet, place, row, followed) for a in tree.arguments)
            return _matrix_product(left, right)
        return [[self._tree(tree, sheet, place, row, followed)]]

    def _area(self, area: Area, sheet: str, place: Place, row: int, followed: Any) -> list[list[Resolved]]:
        where, (top, left) = _target(area.first, sheet, place)
        _, (bottom, right) = _target(area.last, where, place)
        rows, columns = sorted((top, bottom)), sorted((left, right))
        if (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1) > MAX_AREA:
            raise UnreadableError("a range is too large")
        return [
            [self._reference(where, (r, c), row, followed) for c in range(columns[0], columns[1] + 1)]
            for r in range(rows[0], rows[1] + 1)
        ]

    def _name(self, name: Name, sheet: str, place: Place, row: int, followed: Any) -> Resolved:
        target = self.book.names.get(name.text.upper())
        if target is None:
            raise UnreadableError(f"the name “{name.text[:40]}” is not defined")
        if len(followed) > MAX_FOLLOWED:
            raise UnreadableError("names refer to names without end")
        return self._tree(parse(f"={target}", *place), sheet, place, row, (*followed, (sheet, place, name.text)))

    def _reference(self, sheet: str, place: Place, row: int, followed: Any) -> Resolved:
        if (sheet, place) == self.learning_rate:
            return Leaf(LEARNING_RATE)
        other, column = place
        inside = sheet == self.table.sheet and self.table.first_row <= other <= self.table.last_row
        quantity = self._quantities.get(column) if inside else None
        if quantity is None:
            if sheet not in self.book.sheets:
                raise UnreadableError(f"the sheet “{sheet[:40]}” does not exist")
            return self._content(sheet, place, row, followed)
        if other == row:
            return Leaf(quantity)
        if other == row - 1:
            return Leaf(quantity + BEFORE)
        return Leaf(f"{quantity}@{other - row:+d}")


def address(place: Place) -> str:
    """Write a place as people do: Z33."""
    return f"{get_column_letter(place[1])}{place[0]}"


def runs(letter: str, rows: list[int]) -> Iterator[str]:
    """Write rows as ranges: Z33:Z40, Z50."""
    start = previous = rows[0]
    for row in [*rows[1:], None]:
        if row is None or row != previous + 1:
            yield f"{letter}{start}" if start == previous else f"{letter}{start}:{letter}{previous}"
            if row is not None:
                start = row
        if row is not None:
            previous = row


def _target(reference: Reference, sheet: str, place: Place) -> tuple[str, Place]:
    row = reference.row if reference.row_fixed else place[0] + reference.row
    column = reference.column if reference.column_fixed else place[1] + reference.column
    if row < 1 or column < 1:
        raise NoNumberError("a reference points outside the sheet")
    return reference.sheet or sheet, (row, column)


def _matrix_product(left: list[list[Resolved]], right: list[list[Resolved]]) -> list[list[Resolved]]:
    if len(left[0]) != len(right):
        raise UnreadableError("MMULT has ranges that do not fit")
    columns = list(zip(*right, strict=True))
    return [[_sum([Call("*", (a, b)) for a, b in zip(r, c, strict=True)]) for c in columns] for r in left]


def _sum(terms: list[Resolved]) -> Resolved:
    total: Resolved = Number(Fraction(0))
    for term in terms:
        total = Call("+", (total, term))
    return total


def _product(factors: list[Resolved]) -> Resolved:
    product: Resolved = Number(Fraction(1))
    for factor in factors:
        product = Call("*", (product, factor))
    return product


def _combined(name: str, arguments: list[list[list[Resolved]]]) -> Resolved:
    """Reduce functions of ranges to sums and products; leave operators and functions of numbers."""
    flat = [value for matrix in arguments for line in matrix for value in line]
    if name == "SUM":
        return _sum(flat)
    if name == "PRODUCT":
        return _product(flat)
    if name == "SUMPRODUCT":
        lists = [[value for line in matrix for value in line] for matrix in arguments]
        if len({len(values) for values in lists}) != 1:
            raise UnreadableError("SUMPRODUCT has ranges of different sizes")
        return _sum([_product(list(values)) for values in zip(*lists, strict=True)])
    if any(len(matrix) * len(matrix[0]) != 1 for matrix in arguments):
        raise UnreadableError(f"{name} of a range is not understood")
    if name not in _FUNCTIONS:
        raise UnreadableError(f"{name} is not understood")
    return Call(name, tuple(flat))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "negative": lambda a: -a,
    "POWER": lambda a, b: a**b,
    "EXP": sp.exp,
    "SQRT": sp.sqrt,
    "LN": sp.log,
    "TANH": sp.tanh,
    "ABS": sp.Abs,
    "PI": lambda: sp.pi,
}


@lru_cache(maxsize=4096)
def as_sympy(resolved: Resolved) -> Any:
    """Turn a resolved tree into sympy. Raises UnreadableError where it has no value, such as 1/0."""
    if isinstance(resolved, Leaf):
        return sp.Symbol(resolved.name)
    if isinstance(resolved, Number):
        return sp.Rational(resolved.value.numerator, resolved.value.denominator)
    arguments = [as_sympy(argument) for argument in resolved.arguments]
    try:
        if resolved.name in ("^", "POWER") and _is_too_large(*arguments):
            raise UnreadableError("a power is too large")
        if resolved.name == "EXP":
            _check_exponent(resolved, *arguments)
        value = _FUNCTIONS[resolved.name](*arguments)
    except (TypeError, ZeroDivisionError, ValueError, OverflowError) as error:
        raise UnreadableError(f"{resolved.name} has the wrong arguments") from error
    if value.has(sp.zoo, sp.nan, sp.oo):
        raise NoNumberError("it divides by zero")
    if value.has(sp.I):
        raise NoNumberError("it takes the root or the logarithm of a negative number")
    if any(max(number.p.bit_length(), number.q.bit_length()) > _MAX_BITS for number in value.atoms(sp.Rational)):
        raise UnreadableError("a number is too large")
    return value


def _check_exponent(resolved: Call, exponent: Any) -> None:
    if exponent.is_number and exponent.evalf(5) > _MAX_EXPONENT:
        raise NoNumberError(f"EXP of more than {_MAX_EXPONENT} is #NUM!")
    if _exp_depth(resolved) > _MAX_EXP_DEPTH:
        raise UnreadableError("EXP of EXP is nested too deeply")


@lru_cache(maxsize=4096)
def _exp_depth(resolved: Resolved) -> int:
    inside = max(map(_exp_depth, resolved.arguments), default=0) if isinstance(resolved, Call) else 0
    return inside + (isinstance(resolved, Call) and resolved.name == "EXP")


def _is_too_large(base: Any, exponent: Any) -> bool:
    """Refuse powers that would take hours: those of a sum are multiplied out in places."""
    return bool(exponent.is_Number and abs(exponent) > (_MAX_POWER_OF_SUM if base.is_Add else _MAX_POWER))


def leaves(resolved: Resolved) -> frozenset[str]:
    """Name the quantities that a resolved tree reads."""
    if isinstance(resolved, Leaf):
        return frozenset({resolved.name})
    if isinstance(resolved, Number):
        return frozenset()
    return frozenset().union(*(leaves(argument) for argument in resolved.arguments))
