"""Excel formulas, parsed into trees with Excel's precedence: unary minus binds before ^, and ^ groups to the left."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils.cell import column_index_from_string

from backprop.check.cells import Address, Rectangle

MAX_DEPTH, MAX_TERMS, MAX_LENGTH = 60, 120, 8192


class UnreadableError(Exception):
    """A formula or a part of it that cannot be read; the message names it."""


class NoNumberError(UnreadableError):
    """A formula that can be read and has no number as its result: it reads a text, divides by zero …"""


@dataclass(frozen=True)
class Constant:
    """A number, a text or a truth value that is written in the formula."""

    value: float | str | bool


@dataclass(frozen=True)
class Reference:
    """A cell: its sheet, if named, and row and column as distances from the formula's cell, or fixed by $."""

    sheet: str | None
    row: int
    column: int
    row_fixed: bool
    column_fixed: bool

    def target(self, origin: Address) -> Address:
        """Return the cell that the reference means in a formula at `origin`. Raises NoNumberError outside the sheet."""
        row = self.row if self.row_fixed else origin.row + self.row
        column = self.column if self.column_fixed else origin.column + self.column
        if row < 1 or column < 1:
            raise NoNumberError("a reference points outside the sheet")
        return Address(self.sheet or origin.sheet, row, column)


@dataclass(frozen=True)
class Area:
    """A rectangle of cells."""

    first: Reference
    last: Reference

    def target(self, origin: Address) -> tuple[str, Rectangle]:
        """Return the sheet and the cells that the area means in a formula at `origin`."""
        first, last = self.first.target(origin), self.last.target(origin)
        (top, bottom), (left, right) = sorted((first.row, last.row)), sorted((first.column, last.column))
        return first.sheet, Rectangle(top, left, bottom, right)


@dataclass(frozen=True)
class Call:
    """A function or an operator with its arguments."""

    name: str
    arguments: tuple["Tree", ...]


Tree = Constant | Reference | Area | Call
Resolve = Callable[[str, Address], Tree]
"""Look up an operand that is no cell: a defined name, or a structured reference such as Table1[[#This Row],[w1]]."""


def find_references(tree: Tree) -> Iterator[Reference | Area]:
    """Yield the cells and areas that a formula names."""
    if isinstance(tree, Call):
        for argument in tree.arguments:
            yield from find_references(argument)
    elif not isinstance(tree, Constant):
        yield tree


def calls(tree: Tree, names: frozenset[str]) -> bool:
    """Return whether a formula calls one of some functions."""
    return isinstance(tree, Call) and (tree.name in names or any(calls(a, names) for a in tree.arguments))


_BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "^": 4}
_SCIENTIFIC = re.compile(r"(?<![A-Za-z0-9_.$\\])(\d+\.?\d*|\.\d+)[eE]([+-]?\d{1,3})(?![A-Za-z0-9_.])")
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([^'!\[\]]+))!(.+)")


def parse(formula: str, origin: Address, resolve: Resolve) -> Tree:
    """Parse the formula of the cell at `origin`. Raises UnreadableError.

    A second = before the formula, which some programs write, is a sign without a meaning, as + is.
    """
    if len(formula) > MAX_LENGTH:
        raise UnreadableError("the formula is too long")
    # The tokenizer trips over exponents.
    text = _SCIENTIFIC.sub(lambda match: format(Decimal(match.group()), "f"), formula.replace("\xa0", " "))
    try:
        items = [token for token in Tokenizer(f"={text.lstrip('= ')}").items if token.type != Token.WSPACE]
    except Exception as error:  # the tokenizer raises its own, IndexError and others for broken formulas
        raise UnreadableError("the formula is broken") from error
    reader = _TokenReader(items, origin, resolve)
    tree = reader.read_expression(0, 0)
    if reader.next is not None:
        raise UnreadableError(f"“{reader.next.value[:40]}” is not understood")
    return tree


class _TokenReader:
    """Read the tokens once, binding operators by precedence."""

    def __init__(self, items: list[Token], origin: Address, resolve: Resolve) -> None:
        self._items, self._position, self._origin, self._resolve = items, 0, origin, resolve

    @property
    def next(self) -> Token | None:
        return self._items[self._position] if self._position < len(self._items) else None

    def _take(self) -> Token:
        token = self.next
        if token is None:
            raise UnreadableError("the formula ends too early")
        self._position += 1
        return token

    def read_expression(self, least: int, depth: int) -> Tree:
        """Parse operands joined by operators that bind at least as tightly as `least`."""
        if depth > MAX_DEPTH:
            raise UnreadableError("the formula is nested too deeply")
        left, terms = self._read_signed(depth), 1
        while (token := self.next) is not None and token.type == Token.OP_IN:
            level = _BINARY.get(token.value)
            if level is None:
                raise UnreadableError(f"“{token.value}” is not understood")
            if level < max(least, 1):
                break
            self._take()
            terms += 1
            if terms > MAX_TERMS:
                raise UnreadableError("the formula has too many terms")
            left = Call(token.value, (left, self.read_expression(level + 1, depth + 1)))
        return left

    def _read_signed(self, depth: int) -> Tree:
        token = self.next
        if token is not None and token.type == Token.OP_PRE:
            self._take()
            if depth > MAX_DEPTH:
                raise UnreadableError("the formula is nested too deeply")
            inner = self._read_signed(depth + 1)
            return inner if token.value == "+" else Call("negative", (inner,))
        tree = self._read_operand(depth)
        while (token := self.next) is not None and token.type == Token.OP_POST:
            self._take()
            tree = Call("/", (tree, Constant(100.0)))
        return tree

    def _read_operand(self, depth: int) -> Tree:
        token = self._take()
        if token.value.startswith("@"):  # Excel's sign for one cell of a range, which its files call SINGLE
            self._position -= 1
            token.value = token.value[1:].lstrip()
            if not token.value:
                self._take()
            return Call("SINGLE", (self._read_operand(depth),))
        if token.type == Token.PAREN and token.subtype == Token.OPEN:
            tree = self.read_expression(0, depth + 1)
            self._expect_close(Token.PAREN)
            return tree
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            name = token.value.rstrip("( ").upper()
            return Call(re.sub(r"^(_XLFN\.|_XLWS\.|COM\.SUN\.\w+\.)+", "", name), self._read_arguments(depth))
        if token.type == Token.OPERAND:
            return self._read_value(token)
        raise UnreadableError(f"“{token.value[:40]}” is not understood")

    def _expect_close(self, kind: str) -> None:
        token = self._take()
        if token.type != kind or token.subtype != Token.CLOSE:
            raise UnreadableError(f"“{token.value[:40]}” stands where a bracket should close")

    def _read_arguments(self, depth: int) -> tuple[Tree, ...]:
        arguments: list[Tree] = []
        if self.next is not None and self.next.type == Token.FUNC and self.next.subtype == Token.CLOSE:
            self._take()
            return ()
        while True:
            arguments.append(self.read_expression(0, depth + 1))
            token = self._take()
            if token.type == Token.FUNC and token.subtype == Token.CLOSE:
                return tuple(arguments)
            if token.type != Token.SEP:
                raise UnreadableError(f"“{token.value[:40]}” stands where a comma or bracket should")

    def _read_value(self, token: Token) -> Tree:
        if token.subtype == Token.NUMBER:
            try:
                return Constant(float(token.value))
            except ValueError as error:
                raise UnreadableError(f"“{token.value[:40]}” is no number") from error
        if token.subtype == Token.TEXT:
            return Constant(token.value[1:-1].replace('""', '"'))
        if token.subtype == Token.LOGICAL:
            return Constant(token.value.upper() == "TRUE")
        if token.subtype == Token.RANGE:
            return self._read_range(token.value.strip())
        if token.subtype == Token.ERROR:
            raise NoNumberError(f"it holds {token.value}")
        raise UnreadableError(f"“{token.value[:40]}” is not understood")

    def _read_range(self, operand: str) -> Tree:
        sheet, text = None, operand
        if operand.lstrip("'").startswith("[") and "!" in operand:
            raise UnreadableError("it refers to another workbook")
        named = _SHEET.fullmatch(operand)
        if named:
            sheet, text = (named.group(1) or named.group(2)).replace("''", "'"), named.group(3).strip()
        first, colon, last = text.partition(":")
        start = self._read_reference(sheet, first)
        if start is None:
            return self._resolve(operand, self._origin)
        if not colon:
            return start
        end = self._read_reference(sheet, last)
        if end is None:
            raise UnreadableError(f"“{text[:40]}” is not understood")
        return Area(start, end)

    def _read_reference(self, sheet: str | None, text: str) -> Reference | None:
        match = _CELL.fullmatch(text)
        if match is None:
            return None
        column_fixed, letters, row_fixed, digits = match.groups()
        column, row = column_index_from_string(letters.upper()), int(digits)
        return Reference(
            sheet,
            row if row_fixed else row - self._origin.row,
            column if column_fixed else column - self._origin.column,
            bool(row_fixed),
            bool(column_fixed),
        )
