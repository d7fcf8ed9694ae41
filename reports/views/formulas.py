"""Formulas for the page: the derivation's expressions printed, with letters and with numbers put in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup, escape

from backprop.printers.infix import Text
from backprop.printers.latex import LatexPrinter
from backprop.printers.mathml import MathMLPrinter, math
from backprop.printers.text import TextPrinter
from reports.formats import mathml_number

# Characters of a term that may not fit the width of a phone, and that of half a page.
_WIDE, _LONG = 20, 60


_MARKS = tuple(".,;:")
_NAME = re.compile(r"\b(dE_d[wb]\d|a_[ho]\d|[wbhoit]\d|E\d|E_total)\b")


@dataclass(frozen=True)
class Formula:
    """A chain of equal terms, in three notations."""

    parts: tuple[Markup, ...]
    """One <math> element for each term, so that a line may break before an equals sign."""
    text: str
    latex: str
    wide: bool
    """Whether it may need a scrolling region on a narrow screen."""
    long: bool
    """Whether it needs the whole width of the page."""


class _NumberPrinter(MathMLPrinter):
    """Print an expression with the values of its symbols in their places."""

    def __init__(self, values: Mapping[Any, float]) -> None:
        super().__init__()
        self._values = values

    def symbol(self, name: str) -> str:
        return str(mathml_number(self._values[sp.Symbol(name)]))

    def _print_Partial(self, expression: Any) -> Text:
        return Text(str(mathml_number(self._values[expression])), super()._print_Partial(expression).level)


def print_formula(terms: Sequence[Any]) -> Formula:
    """Print a chain of equal terms."""
    texts = [TextPrinter().print(term) for term in terms]
    return join_terms([MathMLPrinter().print(term) for term in terms], texts, [LatexPrinter().print(t) for t in terms])


def join_terms(mathml: Sequence[str], texts: Sequence[str], latex: Sequence[str] = ()) -> Formula:
    """Chain printed terms."""
    return Formula(
        parts=(Markup(math(mathml[0])), *_print_continued(mathml[1:])),
        text=" = ".join(texts),
        latex=" = ".join(latex),
        wide=max(map(len, texts)) > _WIDE,
        long=max(map(len, texts)) > _LONG,
    )


def print_symbol(name: str) -> Markup:
    """Print one symbol as a formula of its own."""
    return Markup(math(MathMLPrinter().print(sp.Symbol(name))))


def print_names(text: str) -> Markup:
    """Set the names of the sheet that occur in a sentence as symbols; all else is escaped as usual."""
    # What is Markup has been escaped.
    parts = _NAME.split(escape(text))
    return Markup("").join(map(Markup, _print_each(parts)))


def _print_each(parts: Sequence[str]) -> Iterator[str]:
    """Yield every second part as a symbol that keeps the mark behind it on its line."""
    yield parts[0]
    for name, following in zip(parts[1::2], parts[2::2], strict=True):
        mark = following[:1] if following[:1] in _MARKS else ""
        yield f'<span class="whole">{print_symbol(name)}{mark}</span>' if mark else print_symbol(name)
        yield following.removeprefix(mark)


def print_numbers(expression: Any, values: Mapping[Any, float], result: float) -> tuple[Markup, ...]:
    """Print an expression with numbers put in, and the result."""
    return _print_continued([_NumberPrinter(values).print(expression), str(mathml_number(result))])


def _print_continued(printed: Sequence[str]) -> tuple[Markup, ...]:
    """Begin every term with its equals sign."""
    return tuple(Markup(math("", term)) for term in printed)
