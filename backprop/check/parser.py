"""Excel formulas → trees. Nothing is evaluated; precedence is Excel's: unary minus before ^, and ^ to the left."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils.cell import column_index_from_string

MAX_DEPTH, MAX_LENGTH = 60, 8192


class UnreadableError(Exception):
    """Say what in a formula cannot be read."""


class NoNumberError(UnreadableError):
    """Say why a formula that can be read has no number as its result: it reads a text, divides by zero …"""


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
    """Trees; once resolved, leaves and numbers in place of references."""


Tree = Number | Reference | Area | Name | Call

_BINARY = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
_SCIENTIFIC = re.compile(r"(?<![A-Za-z0-9_.$\\])(\d+\.?\d*|\.\d+)[eE]([+-]?\d{1,3})(?![A-Za-z0-9_.])")
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)")


def pattern_of(formula: str, row: int, column: int) -> str:
    """Write a formula with distances in place of relative references, so that a filled-down column is one pattern."""

    def relative(match: re.Match[str]) -> str:
        if match.group("text"):
            return match.group()
        column_fixed, letters, row_fixed, digits = match.group("cf", "letters", "rf", "digits")
        c, r = column_index_from_string(letters.upper()), int(digits)
        across = f"C{c}" if column_fixed else f"c{c - column}"
        down = f"R{r}" if row_fixed else f"r{r - row}"
        return f"⟨{across}{down}⟩"

    return _REFERENCES.sub(relative, formula)


_REFERENCES = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')|(?<![A-Za-z0-9_.\\])(?P<cf>\$?)(?P<letters>[A-Za-z]{1,3})(?P<rf>\$?)(?P<digits>[1-9][0-9]{0,6})(?![A-Za-z0-9_(.!])"""
)


def parse(formula: str, row: int, column: int) -> Tree:
    """Read a formula that stands in a cell. Raises UnreadableError that names what it can't read."""
    if len(formula) > MAX_LENGTH:
        raise UnreadableError("the formula is too long")
    text = _SCIENTIFIC.sub(_plain_number, formula.replace("\xa0", " "))
    try:
        items = [token for token in Tokenizer(text).items if token.type != Token.WSPACE]
    except Exception as error:  # the tokenizer raises its own, IndexError and others for broken formulas
        raise UnreadableError("the formula is broken") from error
    reader = _Reader(items, row, column)
    tree = reader.expression(0, 0)
    if reader.next is not None:
        raise UnreadableError(f"“{reader.next.value}” is not understood")
    return tree


def _plain_number(match: re.Match[str]) -> str:
    digits, exponent = match.groups()
    value = Fraction(digits) * Fraction(10) ** int(exponent)
    # A quotient of integers is exact, and the tokenizer can't trip over it.
    return f"({value.numerator}/{value.denominator})"


class _Reader:
    """Walk the tokens once, binding operators by precedence."""

    def __init__(self, items: list[Token], row: int, column: int) -> None:
        self._items, self._position = items, 0
        self._row, self._column = row, column

    @property
    def next(self) -> Token | None:
        return self._items[self._position] if self._position < len(self._items) else None

    def _take(self) -> Token:
        token = self.next
        if token is None:
            raise UnreadableError("the formula ends too early")
        self._position += 1
        return token

    def expression(self, least: int, depth: int) -> Tree:
        """Read operands joined by operators that bind at least as tightly as `least`."""
        if depth > MAX_DEPTH:
            raise UnreadableError("the formula is nested too deeply")
        left = self._signed(depth)
        while (token := self.next) is not None and token.type == Token.OP_IN:
            level = _BINARY.get(token.value)
            if level is None:
                raise UnreadableError(f"“{token.value}” is not understood")
            if level < max(least, 1):
                break
            self._take()
            left = Call(token.value, (left, self.expression(level + 1, depth + 1)))
        return left

    def _signed(self, depth: int) -> Tree:
        token = self.next
        if token is not None and token.type == Token.OP_PRE:
            self._take()
            if depth > MAX_DEPTH:
                raise UnreadableError("the formula is nested too deeply")
            inner = self._signed(depth + 1)
            return inner if token.value == "+" else Call("negative", (inner,))
        tree = self._operand(depth)
        while (token := self.next) is not None and token.type == Token.OP_POST:
            self._take()
            tree = Call("/", (tree, Number(Fraction(100))))
        return tree

    def _operand(self, depth: int) -> Tree:
        token = self._take()
        if token.type == Token.PAREN and token.subtype == Token.OPEN:
            tree = self.expression(0, depth + 1)
            self._close(Token.PAREN)
            return tree
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            return Call(token.value.rstrip("(").upper().removeprefix("_XLFN."), self._arguments(depth))
        if token.type == Token.OPERAND:
            return self._value(token)
        raise UnreadableError(f"“{token.value}” is not understood")

    def _close(self, kind: str) -> None:
        token = self._take()
        if token.type != kind or token.subtype != Token.CLOSE:
            raise UnreadableError(f"“{token.value}” stands where a bracket should close")

    def _arguments(self, depth: int) -> tuple[Tree, ...]:
        arguments: list[Tree] = []
        if self.next is not None and self.next.type == Token.FUNC and self.next.subtype == Token.CLOSE:
            self._take()
            return ()
        while True:
            arguments.append(self.expression(0, depth + 1))
            token = self._take()
            if token.type == Token.FUNC and token.subtype == Token.CLOSE:
                return tuple(arguments)
            if token.type != Token.SEP:
                raise UnreadableError(f"“{token.value}” stands where a comma or bracket should")

    def _value(self, token: Token) -> Tree:
        if token.subtype == Token.NUMBER:
            try:
                return Number(Fraction(token.value))
            except (ValueError, ZeroDivisionError) as error:
                raise UnreadableError(f"“{token.value}” is no number") from error
        if token.subtype == Token.RANGE:
            return self._range(token.value)
        if token.subtype == Token.ERROR:
            raise NoNumberError(f"it holds {token.value}")
        raise UnreadableError(f"“{token.value[:40]}” is not understood")

    def _range(self, text: str) -> Tree:
        sheet = None
        named = _SHEET.fullmatch(text.strip())
        if named:
            sheet, text = (named.group(1) or named.group(2)).replace("''", "'"), named.group(3)
            if "[" in sheet:
                raise UnreadableError("it refers to another workbook")
        first, colon, last = text.strip().partition(":")
        start = self._reference(sheet, first)
        if start is None:
            if colon or sheet:
                raise UnreadableError(f"“{text}” is not understood")
            return Name(text.strip())
        if not colon:
            return start
        end = self._reference(sheet, last)
        if end is None:
            raise UnreadableError(f"“{text}” is not understood")
        return Area(start, end)

    def _reference(self, sheet: str | None, text: str) -> Reference | None:
        match = _CELL.fullmatch(text)
        if match is None:
            return None
        column_fixed, letters, row_fixed, digits = match.groups()
        column, row = column_index_from_string(letters.upper()), int(digits)
        return Reference(
            sheet,
            row if row_fixed else row - self._row,
            column if column_fixed else column - self._column,
            bool(row_fixed),
            bool(column_fixed),
        )
