"""Formulas computed as a spreadsheet does, at many points at once: numbers may be arrays with one entry a point.

At random points two formulas agree only if they are the same function; that is how a foreign formula is compared.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backprop.check.cells import Address, Rectangle
from backprop.check.formulas import Area, Call, Constant, NoNumberError, Reference, Tree, UnreadableError
from backprop.check.functions import ELEMENTWISE, TROUBLES, Number

Value = Number | str | bool | None
"""What a cell shows; None is an empty cell."""
Matrix = list[list[Value]]
MAX_AREA = 20_000


@dataclass
class Evaluation:
    """The computation of one cell's formula."""

    origin: Address
    read: Callable[[Address], Value]
    """What a cell shows. Raises UnreadableError."""
    read_index: Callable[[Address], Value] | None = None
    """What a cell shows of which INDEX and OFFSET take a row or a column, where `read` gives more than one number."""
    is_array: bool = False
    """Whether the formula is an array formula, in which a range stands for all its cells."""
    trouble: str = field(init=False, default="it has no number as its result")

    def number(self, tree: Tree, row: int = 0, column: int = 0) -> Number:
        """Compute a formula's number, that of an array formula in a cell so many rows and columns from its first.

        Raises NoNumberError where it has none at some point, else UnreadableError for what is not understood.
        """
        result = self.compute(tree, row, column)
        if not np.all(np.isfinite(result)):
            raise NoNumberError(self.trouble)
        return result

    def compute(self, tree: Tree, row: int = 0, column: int = 0) -> Number:
        """Compute the same, with NaN at points where there is no number."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._scalar(self._pick(self._value(tree), row, column))
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            raise NoNumberError("a function has the wrong arguments") from error

    def _pick(self, value: Value | Matrix, row: int, column: int) -> Value:
        if not isinstance(value, list):
            return value
        rows, columns = len(value), len(value[0])
        if (row >= rows > 1) or (column >= columns > 1):
            raise NoNumberError("the array formula fills more cells than it has results")
        return value[row if rows > 1 else 0][column if columns > 1 else 0]

    def _value(self, tree: Tree) -> Value | Matrix:
        if isinstance(tree, Constant):
            return tree.value
        if isinstance(tree, Reference):
            return self.read(tree.target(self.origin))
        if isinstance(tree, Area):
            return self._read_area(*tree.target(self.origin))
        if tree.name in _ON_REFERENCES:
            return _ON_REFERENCES[tree.name](self, tree.arguments)
        if tree.name in ELEMENTWISE:
            return self._apply(tree.name, [self._operand(argument) for argument in tree.arguments])
        if tree.name in _ON_RANGES:
            if tree.name in _TAKE_ARRAYS and not self.is_array:
                return replace(self, is_array=True)._value(tree)
            return _ON_RANGES[tree.name](self, [self._value(argument) for argument in tree.arguments])
        raise UnreadableError(f"{tree.name} is not understood")

    def _operand(self, tree: Tree) -> Value | Matrix:
        """Compute an operand; outside array formulas a range means its cell in the formula's own row or column."""
        if isinstance(tree, Area) and not self.is_array:
            return self.read(self._intersect(*tree.target(self.origin)))
        return self._value(tree)

    def _intersect(self, sheet: str, cells: Rectangle) -> Address:
        row = self.origin.row if cells.bottom > cells.top else cells.top
        column = self.origin.column if cells.right > cells.left else cells.left
        if not (cells.top <= row <= cells.bottom and cells.left <= column <= cells.right):
            raise NoNumberError("a range stands where one number should")
        return Address(sheet, row, column)

    def _read_area(self, sheet: str, cells: Rectangle) -> Matrix:
        if (cells.bottom - cells.top + 1) * (cells.right - cells.left + 1) > MAX_AREA:
            raise UnreadableError("a range is too large")
        columns = range(cells.left, cells.right + 1)
        return [[self.read(Address(sheet, row, c)) for c in columns] for row in range(cells.top, cells.bottom + 1)]

    def _apply(self, name: str, operands: Sequence[Value | Matrix]) -> Value | Matrix:
        """Apply a function to numbers, or element by element where an operand is a range."""
        matrices = [operand for operand in operands if isinstance(operand, list)]
        if not matrices:
            return self._apply_to_numbers(name, operands)  # type: ignore[arg-type]
        rows, columns = max(map(len, matrices)), max(len(matrix[0]) for matrix in matrices)
        return [
            [self._apply_to_numbers(name, [self._pick(o, r, c) for o in operands]) for c in range(columns)]
            for r in range(rows)
        ]

    def _apply_to_numbers(self, name: str, operands: Sequence[Value]) -> Value:
        if name in ("=", "<>") and any(isinstance(operand, str) for operand in operands):
            texts = ["" if operand is None else operand for operand in operands]  # an empty cell equals ""
            same = (
                isinstance(texts[0], str) and isinstance(texts[1], str) and texts[0].casefold() == texts[1].casefold()
            )
            return float(same == (name == "="))
        result = ELEMENTWISE[name](*map(self._scalar, operands))
        if name in TROUBLES and not np.any(np.isfinite(result)):
            self.trouble = TROUBLES[name]
        return result  # type: ignore[no-any-return]

    def _scalar(self, value: Value | Matrix) -> Number:
        """Return what arithmetic takes a value for. Raises NoNumberError for a text."""
        if isinstance(value, list):
            value = value[0][0]
        if value is None:
            return 0.0
        if isinstance(value, str):
            raise NoNumberError(f"it reads the text “{value[:30]}”")
        return value

    def numbers(self, values: Sequence[Value | Matrix]) -> Iterator[Number]:
        """Yield the numbers among arguments as SUM takes them: texts, truth values and empty cells don't count."""
        for value in values:
            for item in flatten(value):
                if not (item is None or isinstance(item, str | bool)):
                    yield item

    def locate(self, tree: Tree) -> tuple[str, Rectangle]:
        """Return the cells that an argument names. Raises UnreadableError where it names none."""
        if isinstance(tree, Area):
            return tree.target(self.origin)
        if isinstance(tree, Reference):
            target = tree.target(self.origin)
            return target.sheet, Rectangle(target.row, target.column, target.row, target.column)
        if isinstance(tree, Call) and tree.name == "OFFSET":
            return self._offset(tree.arguments)
        if isinstance(tree, Call) and tree.name == "INDEX":
            return self._index(tree.arguments)
        raise UnreadableError("a function reads a cell that is not named")

    def _whole(self, tree: Tree) -> int:
        """Compute an argument that has to be one whole number at all points, such as a row of INDEX."""
        reader = self if self.read_index is None else replace(self, read=self.read_index)
        value = self._scalar(reader._value(tree))
        if isinstance(value, np.ndarray):
            raise UnreadableError("which cell a function reads depends on the numbers of the table")
        return math.floor(value)

    def _index(self, arguments: Sequence[Tree]) -> tuple[str, Rectangle]:
        sheet, cells = self.locate(arguments[0])
        places = [self._whole(argument) for argument in arguments[1:3]]
        if len(places) == 1:
            places = [1, *places] if cells.top == cells.bottom else [*places, 1]
        row, column = cells.top + places[0] - 1, cells.left + places[1] - 1
        if not (cells.top <= row <= cells.bottom and cells.left <= column <= cells.right):
            raise NoNumberError("INDEX points outside its range")
        return sheet, Rectangle(row, column, row, column)

    def _offset(self, arguments: Sequence[Tree]) -> tuple[str, Rectangle]:
        sheet, cells = self.locate(arguments[0])
        down, right, *size = [self._whole(argument) for argument in arguments[1:]]
        height = size[0] if size else cells.bottom - cells.top + 1
        width = size[1] if size[1:] else cells.right - cells.left + 1
        top, left = cells.top + down, cells.left + right
        if min(top, left, height, width) < 1:
            raise NoNumberError("OFFSET points outside the sheet")
        return sheet, Rectangle(top, left, top + height - 1, left + width - 1)

    def read_located(self, tree: Call) -> Value | Matrix:
        """Read the cell or the cells that INDEX or OFFSET names."""
        sheet, cells = self.locate(tree)
        matrix = self._read_area(sheet, cells)
        return matrix[0][0] if len(matrix) * len(matrix[0]) == 1 else matrix

    def take_single(self, arguments: Sequence[Tree]) -> Value | Matrix:
        """Read the cell of a range that is in the formula's own row or column."""
        if isinstance(arguments[0], Area):
            return self.read(self._intersect(*arguments[0].target(self.origin)))
        return self._value(arguments[0])

    def place(self, arguments: Sequence[Tree], axis: int) -> float:
        """Return the row (axis 0) or column (axis 1) of the formula's cell or of the cell that is named."""
        return float(self.locate(arguments[0])[1][axis] if arguments else self.origin[1 + axis])

    def size(self, arguments: Sequence[Tree], axis: int) -> float:
        """Return how many rows (axis 0) or columns (axis 1) a range has."""
        cells = self.locate(arguments[0])[1]
        return float(cells[axis + 2] - cells[axis] + 1)

    def choose(self, arguments: Sequence[Tree]) -> Value | Matrix:
        """Compute IF: only the branch that is taken, where it is the same at all points."""
        condition = self._operand(arguments[0])
        if isinstance(condition, list):
            return self._apply("IF", [condition, *(self._operand(branch) for branch in arguments[1:])])
        test = self._scalar(condition)
        taken = np.asarray(np.real(test) != 0)
        no = arguments[2] if len(arguments) > 2 else Constant(0.0)
        if taken.all() or not taken.any():
            return self._value(arguments[1] if taken.all() else no)
        yes, no_value = (self._scalar(self._operand(branch)) for branch in (arguments[1], no))
        return np.where(taken, yes, no_value)

    def replace_errors(self, arguments: Sequence[Tree]) -> Value | Matrix:
        """Compute IFERROR: the first argument, where it has a number."""
        try:
            first: Any = self.number(arguments[0])
        except NoNumberError:
            return self._value(arguments[1])
        return first  # type: ignore[no-any-return]


def flatten(value: Value | Matrix) -> Iterator[Value]:
    """Yield the cells of a range, row by row, or the one value."""
    if isinstance(value, list):
        for line in value:
            yield from line
    else:
        yield value


def _average(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Number:
    numbers = list(evaluation.numbers(values))
    if not numbers:
        raise NoNumberError("it divides by zero")
    return sum(numbers, 0.0) / len(numbers)


def _sum_products(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Number:
    lists = [list(flatten(value)) for value in values]
    if len({len(items) for items in lists}) != 1:
        raise NoNumberError("SUMPRODUCT has ranges of different sizes")
    # A text counts as 0 there.
    terms = [
        [0.0 if isinstance(i, str | bool) or i is None else i for i in group] for group in zip(*lists, strict=True)
    ]
    return sum((math.prod(term) for term in terms), 0.0)


def _sum_squared_differences(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Number:
    left, right = (list(evaluation.numbers([value])) for value in values)
    return sum(((a - b) ** 2 for a, b in zip(left, right, strict=True)), 0.0)


def _multiply_matrices(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Matrix:
    left, right = (value if isinstance(value, list) else [[value]] for value in values)
    if len(left[0]) != len(right):
        raise NoNumberError("MMULT has ranges that do not fit")
    columns = [[evaluation._scalar(item) for item in column] for column in zip(*right, strict=True)]
    lines = [[evaluation._scalar(item) for item in line] for line in left]
    return [[sum((a * b for a, b in zip(line, c, strict=True)), 0.0) for c in columns] for line in lines]


def _transpose(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Value | Matrix:
    (value,) = values
    return [list(line) for line in zip(*value, strict=True)] if isinstance(value, list) else value


def _fold(function: Callable[[Any, Any], Any], empty: float) -> Callable[..., Number]:
    def fold(evaluation: Evaluation, values: Sequence[Value | Matrix]) -> Number:
        result: Any = None
        for number in evaluation.numbers(values):
            result = number if result is None else function(result, number)
        return empty if result is None else result

    return fold


_ON_RANGES: dict[str, Callable[[Evaluation, Sequence[Value | Matrix]], Value | Matrix]] = {
    "SUM": _fold(np.add, 0.0),
    "PRODUCT": _fold(np.multiply, 0.0),
    "MAX": _fold(np.maximum, 0.0),
    "MIN": _fold(np.minimum, 0.0),
    "AVERAGE": _average,
    "COUNT": lambda evaluation, values: float(len(list(evaluation.numbers(values)))),
    "SUMSQ": lambda evaluation, values: sum((n * n for n in evaluation.numbers(values)), 0.0),
    "SUMPRODUCT": _sum_products,
    "SUMXMY2": _sum_squared_differences,
    "MMULT": _multiply_matrices,
    "TRANSPOSE": _transpose,
}
_TAKE_ARRAYS = frozenset({"SUMPRODUCT", "SUMXMY2", "MMULT", "TRANSPOSE"})
"""Functions whose arguments are computed as in array formulas everywhere."""
_ON_REFERENCES: dict[str, Callable[[Evaluation, Sequence[Tree]], Value | Matrix]] = {
    "INDEX": lambda evaluation, arguments: evaluation.read_located(Call("INDEX", tuple(arguments))),
    "OFFSET": lambda evaluation, arguments: evaluation.read_located(Call("OFFSET", tuple(arguments))),
    "SINGLE": Evaluation.take_single,
    "ROW": lambda evaluation, arguments: evaluation.place(arguments, 0),
    "COLUMN": lambda evaluation, arguments: evaluation.place(arguments, 1),
    "ROWS": lambda evaluation, arguments: evaluation.size(arguments, 0),
    "COLUMNS": lambda evaluation, arguments: evaluation.size(arguments, 1),
    "IF": Evaluation.choose,
    "IFERROR": Evaluation.replace_errors,
}
