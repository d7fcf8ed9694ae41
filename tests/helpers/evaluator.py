"""A small spreadsheet of our own for tests: it decides what a formula gives, and shares no code with the check."""

import math
import re

import numpy as np
from openpyxl.utils import column_index_from_string

TOKENS = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<column>\w+\[\[#This Row\],\[[^\]]+\]\])"
    r"|(?P<cell>(?:(?:'[^']+'|\w+)!)?\$?[A-Z]{1,3}\$?\d+(?![\w(]))|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>[-+*/^(),:%@<>]))"
)
LEVELS = {"<": 0.5, ">": 0.5, "+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
SIMPLE = {
    "TANH": np.tanh,
    "LN": np.log,
    "IF": lambda test, yes, no: np.where(test != 0, yes, no),
    "MAX": lambda *numbers: float(max(np.max(n) for n in numbers)),
    "MIN": lambda *numbers: float(min(np.min(n) for n in numbers)),
    "AVERAGE": np.mean,
    "MMULT": lambda a, b: np.atleast_2d(a) @ np.atleast_2d(b),
    "TRANSPOSE": lambda a: np.atleast_2d(a).T,
}


class NumberError(Exception):
    """What a spreadsheet shows as #VALUE!, #NUM! or #NAME?."""


def place(text):
    """Return (row, column) of A1."""
    letters, digits = re.fullmatch(r"\$?([A-Z]+)\$?(\d+)", text).groups()
    return int(digits), column_index_from_string(letters)


class Evaluator:
    """The numbers of cells: (sheet, row, column) → content; `arrays` has the cells of array formulas by their first."""

    def __init__(self, cells, names=None, tables=None, arrays=None):
        self.cells, self.names, self.tables, self.arrays = cells, names or {}, tables or {}, arrays or {}
        self.values, self.skips_empty = {}, False
        self.members = {cell: first for first, group in self.arrays.items() for line in group for cell in line}

    def value(self, cell):
        """Return the number that a cell shows; raises NumberError."""
        if cell not in self.values:
            first = self.members.get(cell)
            if first is None:
                self.values[cell] = self.content(self.cells.get(cell), cell)
            else:
                matrix = np.atleast_2d(self.compute(self.cells[first], first))
                for line, numbers in zip(self.arrays[first], matrix, strict=True):
                    self.values |= dict(zip(line, numbers, strict=True))
        return self.values[cell]

    def content(self, content, cell):
        """Return what a content would give in a cell."""
        if content is None:
            return 0.0
        if isinstance(content, str) and content.startswith("="):
            result = np.asarray(self.compute(content, cell), dtype=float)
            if result.size != 1 or not np.isfinite(result).all():
                raise NumberError(content)
            return float(result.ravel()[0])
        if isinstance(content, str):
            raise NumberError(content)
        return float(content)

    def compute(self, formula, cell):
        """Parse and compute a formula at once."""
        self.items, self.at, self.here = list(TOKENS.finditer(formula.lstrip("="))), 0, cell
        if "".join(m.group() for m in self.items) != formula.lstrip("="):
            raise NumberError(formula)
        saved = self.items, self.here
        with np.errstate(all="ignore"):
            result = self.expression(0)
        if self.at != len(saved[0]):
            raise NumberError(formula)
        return result

    def peek(self):
        return self.items[self.at].group().strip() if self.at < len(self.items) else ""

    def take(self):
        self.at += 1
        if self.at > len(self.items):
            raise NumberError("ends too early")
        return self.items[self.at - 1]

    def expression(self, least):
        left = self.signed()
        while LEVELS.get(self.peek(), 0) > least:
            sign = self.take().group().strip()
            right = self.expression(LEVELS[sign])
            left = self.join(sign, left, right)
        return left

    def join(self, sign, left, right):
        left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
        if sign == "^":
            return np.power(left, right)
        if sign in "<>":
            return 1.0 * (left < right if sign == "<" else left > right)
        return {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[sign](left, right)

    def signed(self):
        if self.peek() in ("-", "+", "@"):
            sign = self.take().group().strip()
            return -np.asarray(self.signed()) if sign == "-" else self.signed()
        value = self.operand()
        while self.peek() == "%":
            self.take()
            value = value / 100
        return value

    def operand(self):
        token = self.take()
        text = token.group().strip()
        if token["number"]:
            return float(text)
        if token["column"]:
            name, header = re.fullmatch(r"(\w+)\[\[#This Row\],\[([^\]]+)\]\]", text).groups()
            sheet, columns = self.tables[name]
            if header not in columns:
                raise NumberError(text)
            return self.look((sheet, self.here[1], columns[header]))
        if token["cell"]:
            return self.area(text) if self.peek() == ":" else self.look(self.locate(text))
        if text == "(":
            value = self.expression(0)
            self.close()
            return value
        if token["word"] and self.peek() == "(":
            return self.call(text.upper().removeprefix("_XLFN."))
        if token["word"] and text in self.names:
            return self.look(self.names[text])
        raise NumberError(text)

    def close(self):
        if self.take().group().strip() != ")":
            raise NumberError("no bracket")

    def look(self, cell):
        # A cell is computed in the midst of another one's formula.
        saved = self.items, self.at, self.here, self.skips_empty
        try:
            return self.value(cell)
        finally:
            self.items, self.at, self.here, self.skips_empty = saved

    def locate(self, text):
        sheet, _, cell = text.rpartition("!")
        return (sheet.strip("'") or self.here[0], *place(cell))

    def area(self, first):
        self.take()
        (sheet, top, left), (bottom, right) = self.locate(first), place(self.take().group().strip())
        rows, columns = (range(min(ends), max(ends) + 1) for ends in ((top, bottom), (left, right)))
        cells = [[(sheet, row, column) for column in columns] for row in rows]
        if self.skips_empty:
            return np.array([self.look(c) for line in cells for c in line if self.is_number(c)])
        return np.array([[self.look(c) for c in line] for line in cells])

    def is_number(self, cell):
        """Return whether a cell counts in an average: texts and empty cells do not."""
        content = self.cells.get(cell)
        return cell in self.members or not (content is None or (isinstance(content, str) and content[:1] != "="))

    def call(self, name):
        self.take()
        self.skips_empty = name == "AVERAGE"
        arguments = [self.expression(0)]
        self.skips_empty = False
        while self.peek() == ",":
            self.take()
            arguments.append(self.expression(0))
        self.close()
        if name == "SUM":
            return math.fsum(float(np.sum(argument)) for argument in arguments)
        if name == "SUMPRODUCT":
            if len({np.shape(argument) for argument in arguments}) > 1:
                raise NumberError("different sizes")
            return float(np.sum(math.prod(np.asarray(argument) for argument in arguments)))
        if name == "EXP" and len(arguments) == 1:
            return np.where(np.asarray(arguments[0]) > 709, np.nan, np.exp(arguments[0]))
        if name in ("POWER", "POW") and len(arguments) == 2:
            return np.power(np.asarray(arguments[0], dtype=float), arguments[1])
        if name == "SINGLE":
            return arguments[0]
        if name in SIMPLE:
            return SIMPLE[name](*map(np.asarray, arguments))
        raise NumberError(name)
