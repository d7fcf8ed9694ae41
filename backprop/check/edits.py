"""The smallest change that makes a wrong formula right: in words, and as the formula to paste."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from openpyxl.utils.cell import column_index_from_string

from backprop.check.blame import Fault
from backprop.check.cells import Address
from backprop.check.formulas import UnreadableError
from backprop.check.functions import Floats
from backprop.check.graph import Formula
from backprop.check.iteration import POINTS, Iteration, same

_MAX_COMPOSED = 80
_CELL = r"(\$?)([A-Z]{1,3})(\$?)(\d+)"
_REFERENCE = re.compile(rf"(?<![\w.$!':]){_CELL}(?![\w(.!:])")
_AREA = re.compile(rf"(?<![\w.$!']){_CELL}:{_CELL}(?![\w(.!])")
_NUMBER = re.compile(r"(?<![\w.$])\d+(?:\.\d+)?(?![\w.(:])")
_OPERAND = r"(?:\$?[A-Z]{1,3}\$?\d+(?![\d(])|\d+(?:\.\d+)?|[A-Z]*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))(?:\^\d+)?"
_FACTOR = re.compile(rf"[*/]{_OPERAND}")
_TERM = re.compile(rf"[-+]{_OPERAND}(?:\*{_OPERAND})*")
_FUNCTIONS = (("SUM(", "AVERAGE("), ("AVERAGE(", "SUM("), ("MAX(", "MIN("), ("MIN(", "MAX("))


class Edit(NamedTuple):
    """A changed formula and what was wrong before."""

    formula: str
    words: str


@dataclass(frozen=True)
class Editor:
    """Look for changes of a formula that make it give what is needed."""

    iteration: Iteration
    name: Callable[[Address], str]
    """How a cell is called: by the sheet's own header where it has one."""
    tries: Iterator[int]
    """One item for each change that may still be tried, for this cell and those after it."""

    def correct(self, fault: Fault) -> Edit | None:
        """Return the smallest change found that makes a wrong cell right, or None."""
        cell, formula = fault.cell, self.iteration.graph.workbook.formula(fault.cell)
        edits = chain(self.list_changes(cell, formula) if formula else (), self._compose(cell, fault.needed))
        tried: set[str] = set()
        for edit, _ in zip(edits, self.tries, strict=False):
            if edit.formula not in tried and self.gives(cell, edit.formula, fault.needed):
                return edit
            tried.add(edit.formula)
        return None

    def gives(self, cell: Address, text: str, needed: Floats) -> bool:
        """Return whether a formula in a cell gives what is needed there."""
        graph = self.iteration.graph
        try:
            present = graph.formula(cell)
            origin, is_array = (cell, False) if present is None else present[1:]
            formula = Formula(graph.formulas.parse(text, origin), origin, is_array)
            value = graph.differentiate(cell, self.iteration.value, (), formula).value
        except UnreadableError:
            return False
        return same(np.broadcast_to(value, (POINTS,)), needed)

    def _cells(self, near: Address) -> Sequence[Address]:
        """Return what the formula might read: the cells of the iteration and what these read, the nearest first."""
        read = {r for cell in self.iteration.cells for r in self.iteration.references(cell)}
        found = {*self.iteration.cells, *self.iteration.weights, *read} - {near, *self.iteration.updates}
        return sorted(found, key=lambda c: (c.sheet != near.sheet, abs(c.row - near.row) + abs(c.column - near.column)))

    def list_changes(self, cell: Address, text: str) -> Iterator[Edit]:
        """Yield changes of the formula as it is written."""
        yield from self._change_signs(text)
        yield from self._drop(cell, text)
        yield from self._change_numbers(text)
        yield from self._change_areas(text)
        yield from self._change_references(cell, text)
        yield from self._change_operators(text)
        yield from self._add(cell, text)

    def _change_signs(self, text: str) -> Iterator[Edit]:
        body = text[1:]
        for match in re.finditer(r"[-+]", text):
            other = "+" if match.group() == "-" else "-"
            words = f"{match.group()} stands where {other} belongs"
            yield Edit(text[: match.start()] + other + text[match.end() :], words)
            if text[match.start() - 1] in "=(,*/":
                yield Edit(text[: match.start()] + text[match.end() :], f"{match.group()} does not belong there")
        for match in re.finditer(r"(?<=[(=,])(?=[A-Z$])", text):
            yield Edit(f"{text[: match.start()]}-{text[match.start() :]}", "a minus is missing")
        yield Edit(f"=-({body})", "the sign is the wrong way round")

    def _change_references(self, cell: Address, text: str) -> Iterator[Edit]:
        cells = self._cells(cell)
        for match in _REFERENCE.finditer(text):
            used = self._address(match, cell)
            for meant in cells:
                written = self._write(meant, cell, match[1], match[3])
                words = f"{self.name(used)} stands where {self.name(meant)} belongs"
                if meant != used and written:
                    yield Edit(text[: match.start()] + written + text[match.end() :], words)
            one = f"{text[: match.start()]}(1-{match.group()}){text[match.end() :]}"
            yield Edit(one, f"{self.name(used)} stands where 1 - {self.name(used)} belongs")
            square = f"{text[: match.start()]}{match.group()}^2{text[match.end() :]}"
            yield Edit(square, f"{self.name(used)} has to be squared")
        for used in dict.fromkeys(self._address(match, cell) for match in _REFERENCE.finditer(text)):
            for meant in cells:

                def exchange(match: re.Match[str], used: Address = used, meant: Address = meant) -> str:
                    is_used = self._address(match, cell) == used
                    return self._write(meant, cell, match[1], match[3]) if is_used else match.group()

                words = f"{self.name(used)} stands where {self.name(meant)} belongs"
                if meant != used and meant.sheet == cell.sheet:
                    yield Edit(_REFERENCE.sub(exchange, text), words)

    def _change_areas(self, text: str) -> Iterator[Edit]:
        for match in _AREA.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            if before.endswith("TRANSPOSE("):
                yield Edit(f"{before.removesuffix('TRANSPOSE(')}{match.group()}{after[1:]}", "TRANSPOSE is too much")
            yield Edit(f"{before}TRANSPOSE({match.group()}){after}", f"{match.group()} has to be transposed")
            top, bottom = int(match[4]), int(match[8])
            for first, last in ((top, bottom + 1), (top - 1, bottom), (top, bottom - 1), (top + 1, bottom)):
                if 1 <= first <= last:
                    other = f"{match[1]}{match[2]}{match[3]}{first}:{match[5]}{match[6]}{match[7]}{last}"
                    yield Edit(f"{before}{other}{after}", f"{match.group()} stands where {other} belongs")
        for used, meant in _FUNCTIONS:
            if used in text:
                words = f"{used[:-1]} stands where {meant[:-1]} belongs"
                yield Edit(text.replace(used, meant), words)
                quotient = re.search(rf"{re.escape(used)}([^()]*)\)/\d+", text)
                if quotient:
                    yield Edit(text.replace(quotient.group(), f"{meant}{quotient[1]})"), "it divides by another number")

    def _change_operators(self, text: str) -> Iterator[Edit]:
        for match in re.finditer(r"(?<=[\w)])[-+*/^](?=[\w($])", text):
            for other in "+-*/":
                if other != match.group():
                    words = f"{match.group()} stands where {other} belongs"
                    yield Edit(text[: match.start()] + other + text[match.end() :], words)

    def _drop(self, cell: Address, text: str) -> Iterator[Edit]:
        for pattern, kind in ((_FACTOR, "factor"), (_TERM, "term")):
            for match in pattern.finditer(text):
                words = f"the {kind} {self._say(match.group()[1:], cell)} does not belong there"
                yield Edit(text[: match.start()] + text[match.end() :], words)
        for first, second in combinations(_FACTOR.finditer(text), 2):
            if first.end() <= second.start():
                factors = " and ".join(self._say(match.group()[1:], cell) for match in (first, second))
                words = f"the factors {factors} do not belong there"
                yield Edit(text[: first.start()] + text[first.end() : second.start()] + text[second.end() :], words)
        for match in re.finditer(rf"{_OPERAND}\*", text):
            words = f"the factor {self._say(match.group()[:-1], cell)} does not belong there"
            yield Edit(text[: match.start()] + text[match.end() :], words)

    def _change_numbers(self, text: str) -> Iterator[Edit]:
        for match in _NUMBER.finditer(text):
            number = float(match.group())
            for other in dict.fromkeys(("1", "2", "0.5", f"{number + 1:g}", f"{number - 1:g}")):
                words = f"{match.group()} stands where {other} belongs"
                yield Edit(text[: match.start()] + other + text[match.end() :], words)

    def _add(self, cell: Address, text: str) -> Iterator[Edit]:
        body = text[1:] if re.fullmatch(rf"={_OPERAND}(?:[*/]{_OPERAND})*", text) else f"({text[1:]})"
        for number in ("2", "0.5"):
            yield Edit(f"={number}*{body}", f"the factor {number} is missing")
        for other in self._cells(cell):
            written, word = self._write(other, cell), self.name(other)
            if written:
                yield Edit(f"={body}*{written}", f"the factor {word} is missing")
                yield Edit(f"={body}*(1-{written})", f"the factor 1 - {word} is missing")
                yield Edit(f"={body}*{written}*(1-{written})", f"the factor {word} · (1 - {word}) is missing")
                yield Edit(f"={body}/{written}", f"the divisor {word} is missing")

    def _compose(self, cell: Address, needed: Floats) -> Iterator[Edit]:
        """Yield formulas of few cells that give what is needed, and sums of the old one with a product."""
        text, found = self.iteration.graph.workbook.formula(cell), self.iteration.number(cell)
        cells = [c for c in self._cells(cell) if self._write(c, cell)][:_MAX_COMPOSED]
        numbers: Mapping[Address, Floats] = {c: self.iteration.number(c) for c in cells}
        for one in cells:
            if same(numbers[one], needed):
                yield Edit(f"={self._write(one, cell)}", f"{self.name(one)} is what belongs there")
        for a, b in combinations(cells, 2):
            product, words = numbers[a] * numbers[b], f"{self.name(a)} · {self.name(b)}"
            written = f"{self._write(a, cell)}*{self._write(b, cell)}"
            if text and same(found + product, needed):
                yield Edit(f"{text}+{written}", f"the term {words} is missing from the sum")
            if same(product, needed):
                yield Edit(f"={written}", f"{words} is what belongs there")
            for c, other in ((a, b), (b, a)):
                if same(product * (1 - numbers[c]), needed):
                    letter = self._write(c, cell)
                    words = f"{self.name(other)} · {self.name(c)} · (1 - {self.name(c)}) is what belongs there"
                    yield Edit(f"={self._write(other, cell)}*{letter}*(1-{letter})", words)

    def _say(self, text: str, cell: Address) -> str:
        """Write a part of a formula with the sheet's own words."""
        return _REFERENCE.sub(lambda match: self.name(self._address(match, cell)), text)

    def _address(self, match: re.Match[str], cell: Address) -> Address:
        return Address(cell.sheet, int(match[4]), column_index_from_string(match[2]))

    def _write(self, target: Address, cell: Address, column: str = "", row: str = "") -> str:
        """Write a reference to a cell of the same sheet; constants that all iterations read stay fixed."""
        if target.sheet != cell.sheet:
            return ""
        return f"{column}{target.letters}{row}{target.row}"
