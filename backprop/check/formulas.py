"""Excel formulas, parsed into trees with Excel's precedence: unary minus binds before ^, and ^ groups to the left."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils.cell import column_index_from_string

from backprop.check.cells import Address

MAX_DEPTH, MAX_LENGTH = 60, 8192


class UnreadableError(Exception):
    """A formula or a part of it that cannot be read; the message names it."""


class NoNumberError(UnreadableError):
    """A formula that can be read and has no number as its result: it reads a text, divides by zero …"""


@dataclass(frozen=True)
class Number:
    """A number as it is written: 0.1 is one tenth."""

    value: Fraction


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


@dataclass(frozen=True)
class Name:
    """A defined name."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function or an operator with its arguments."""

    name: str
    arguments: tuple[Any, ...]
    """Trees; once references are resolved, quantities and numbers in their place."""


Tree = Number | Reference | Area | Name | Call

_BINARY = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
_SCIENTIFIC = re.compile(r"(?<![A-Za-z0-9_.$\\])(\d+\.?\d*|\.\d+)[eE]([+-]?\d{1,3})(?![A-Za-z0-9_.])")
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)")

_TEXT_OR_CELL = re.compile(rf"""("[^"]*"|'[^']*')|(?<![A-Za-z0-9_.\\]){_CELL.pattern}(?![A-Za-z0-9_(.!])""")


def r1c1_pattern(formula: str, origin: Address) -> str:
    """Return a formula with relative references as distances: the same for each cell of a filled-down column."""

    def replace(match: re.Match[str]) -> str:
        text, column_fixed, letters, row_fixed, digits = match.groups()
        if text:
            return str(text)
        column, row = column_index_from_string(letters.upper()), int(digits)
        down = f"R{row}" if row_fixed else f"R[{row - origin.row}]"
        across = f"C{column}" if column_fixed else f"C[{column - origin.column}]"
        return f"⟨{down}{across}⟩"

    return _TEXT_OR_CELL.sub(replace, formula)


def parse(formula: str, origin: Address) -> Tree:
    """Parse the formula of the cell at `origin`. Raises UnreadableError."""
    if len(formula) > MAX_LENGTH:
        raise UnreadableError("the formula is too long")
    text = _SCIENTIFIC.sub(_expand_exponent, formula.replace("\xa0", " "))
    try:
        items = [token for token in Tokenizer(text).items if token.type != Token.WSPACE]
    except Exception as error:  # the tokenizer raises its own, IndexError and others for broken formulas
        raise UnreadableError("the formula is broken") from error
    reader = _TokenReader(items, origin)
    tree = reader.read_expression(0, 0)
    if reader.next is not None:
        raise UnreadableError(f"“{reader.next.value}” is not understood")
    return tree


def _expand_exponent(match: re.Match[str]) -> str:
    digits, exponent = match.groups()
    value = Fraction(digits) * Fraction(10) ** int(exponent)
    # A quotient of integers is exact, and the tokenizer can't trip over it.
    return f"({value.numerator}/{value.denominator})"


class _TokenReader:
    """Read the tokens once, binding operators by precedence."""

    def __init__(self, items: list[Token], origin: Address) -> None:
        self._items, self._position, self._origin = items, 0, origin

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
        left = self._read_signed(depth)
        while (token := self.next) is not None and token.type == Token.OP_IN:
            level = _BINARY.get(token.value)
            if level is None:
                raise UnreadableError(f"“{token.value}” is not understood")
            if level < max(least, 1):
                break
            self._take()
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
            tree = Call("/", (tree, Number(Fraction(100))))
        return tree

    def _read_operand(self, depth: int) -> Tree:
        token = self._take()
        if token.type == Token.PAREN and token.subtype == Token.OPEN:
            tree = self.read_expression(0, depth + 1)
            self._expect_close(Token.PAREN)
            return tree
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            return Call(token.value.rstrip("(").upper().removeprefix("_XLFN."), self._read_arguments(depth))
        if token.type == Token.OPERAND:
            return self._read_value(token)
        raise UnreadableError(f"“{token.value}” is not understood")

    def _expect_close(self, kind: str) -> None:
        token = self._take()
        if token.type != kind or token.subtype != Token.CLOSE:
            raise UnreadableError(f"“{token.value}” stands where a bracket should close")

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
                raise UnreadableError(f"“{token.value}” stands where a comma or bracket should")

    def _read_value(self, token: Token) -> Tree:
        if token.subtype == Token.NUMBER:
            try:
                return Number(Fraction(token.value))
            except (ValueError, ZeroDivisionError) as error:
                raise UnreadableError(f"“{token.value}” is no number") from error
        if token.subtype == Token.RANGE:
            return self._read_range(token.value)
        if token.subtype == Token.ERROR:
            raise NoNumberError(f"it holds {token.value}")
        raise UnreadableError(f"“{token.value[:40]}” is not understood")

    def _read_range(self, text: str) -> Tree:
        sheet = None
        named = _SHEET.fullmatch(text.strip())
        if named:
            sheet, text = (named.group(1) or named.group(2)).replace("''", "'"), named.group(3)
            if "[" in sheet:
                raise UnreadableError("it refers to another workbook")
        first, colon, last = text.strip().partition(":")
        start = self._read_reference(sheet, first)
        if start is None:
            if colon or sheet:
                raise UnreadableError(f"“{text}” is not understood")
            return Name(text.strip())
        if not colon:
            return start
        end = self._read_reference(sheet, last)
        if end is None:
            raise UnreadableError(f"“{text}” is not understood")
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
