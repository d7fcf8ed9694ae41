"""The smallest change that would make a wrong formula right, in words."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

import sympy as sp

from backprop.check.expressions import are_equal, is_small, quantity_of, symbol_of
from backprop.check.tables import BIASES, CLASS
from backprop.errors import BackpropError
from backprop.network import TOTAL_ERROR, gradient_name
from backprop.printers.infix import ATOM, Text
from backprop.printers.text import TextPrinter

_NETWORK = CLASS.network
_NEURONS = [neuron for layer in _NETWORK.layers for neuron in layer]
_KINDS = (
    _NETWORK.targets,
    _NETWORK.inputs,
    *(tuple(weight for neuron in layer for weight in neuron.weights) for layer in _NETWORK.layers),
    tuple(neuron.name for neuron in _NEURONS),
    tuple(neuron.activation for neuron in _NEURONS),
    (*_NETWORK.errors, TOTAL_ERROR),
    tuple(map(gradient_name, _NETWORK.weights)),
    BIASES,
    tuple(map(gradient_name, BIASES)),
)
_ALIKE = tuple([symbol_of(name, rows) for name in kind] for kind in _KINDS for rows in (0, -1))
"""Symbols that are easily taken for one another."""
_MAX_SHOWN = 160


def explain(found: Any, expected: Any) -> str:
    """Describe what is wrong. `expected` is in class order; where no small change fits, the difference is shown."""
    if not is_small(found):
        return "the formula is another one"
    try:
        for attempt in (_try_sign, _try_factor, _try_brackets, _try_exchange, _try_row, _try_term):
            for words in attempt(found, expected.doit(), expected):
                return words
        return _describe_difference(found, expected.doit())
    except BackpropError:  # a foreign formula may lead to functions that have no sign on paper
        return "the formula is another one"
    except (ArithmeticError, ValueError, TypeError):
        return "the formula is another one, and has no finite value"


class _RowPrinter(TextPrinter):
    def _print_Shifted(self, expression: Any) -> Text:
        distance, side = abs(expression.rows), "below" if expression.rows > 0 else "above"
        rows = "the row" if distance == 1 else f"{distance} rows"
        return Text(f"{self.symbol(expression.quantity)} of {rows} {side}", ATOM)


def _format(expression: Any) -> str:
    printed = _RowPrinter().print(expression)
    return printed if len(printed) <= _MAX_SHOWN else printed[:_MAX_SHOWN] + " …"


def _try_sign(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    if are_equal(found, -expected):
        yield "the sign is the wrong way round"
    for symbol in sorted(expected.free_symbols, key=str):
        if are_equal(found, expected.xreplace({symbol: -symbol})):
            yield f"the sign of {_format(symbol)} is the wrong way round"


def _factors(ordered: Any) -> list[Any]:
    return list(ordered.args) if isinstance(ordered, sp.Mul) else [ordered]


def _try_factor(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    factors = _factors(ordered)
    for count in (1, 2):
        for missing in combinations(factors, count):
            rest = sp.Mul(*(f.doit() for f in factors if f not in missing))
            if len(factors) > count and are_equal(found, rest):
                yield f"the factor {' · '.join(map(_format_factor, missing))} is missing"
    for factor in factors:
        if are_equal(found, expected * factor.doit()):
            yield f"the factor {_format_factor(factor)} stands there once too often"
    for symbol in sorted(expected.free_symbols | found.free_symbols, key=str):
        if are_equal(found, expected * symbol):
            yield f"the factor {_format(symbol)} does not belong there"
    ratio = sp.nsimplify(sp.simplify(found / expected)) if found.free_symbols == expected.free_symbols else None
    if ratio is not None and ratio.is_number and ratio != 1:
        yield f"it is {_format(ratio)} times what it should be"


def _format_factor(factor: Any) -> str:
    return f"({_format(factor)})" if isinstance(factor, sp.Add) else _format(factor)


def _try_brackets(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    """A sum times factors: without its brackets the factors reach one term only."""
    factors = _factors(ordered)
    for position, factor in enumerate(factors):
        if not isinstance(factor, sp.Add):
            continue
        before = sp.Mul(*(f.doit() for f in factors[:position]))
        after = sp.Mul(*(f.doit() for f in factors[position + 1 :]))
        first, *middle, last = [term.doit() for term in factor.args]
        if are_equal(found, before * first + sum(middle) + last * after):
            tail = " · ".join(map(_format_factor, factors[position + 1 :]))
            if tail and position == 0:
                yield f"brackets are missing: {tail} multiplies only the last term of the sum"
            else:
                yield f"brackets are missing around {_format(factor)}"


def _try_term(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    factors = _factors(ordered)
    for factor in factors:
        if isinstance(factor, sp.Add):
            others = sp.Mul(*(f.doit() for f in factors if f is not factor))
            for dropped in factor.args:
                kept = sp.Add(*(term.doit() for term in factor.args if term is not dropped))
                if are_equal(found, others * kept):
                    yield f"the term {_format(dropped)} is missing from the sum"


def _try_exchange(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    """One or two quantities stand where others belong, everywhere or inside one factor."""
    symbols = found.free_symbols | expected.free_symbols
    candidates = [
        (used, meant)
        for alike in _ALIKE
        for meant in alike
        for used in alike
        if meant in expected.free_symbols and used in symbols and used != meant
    ]
    trial = _Trial(found, ordered, symbols)
    for count in (1, 2):
        for exchanges in combinations(candidates, count):
            if len({meant for _, meant in exchanges}) == count and trial.fits(exchanges):
                yield _describe_exchange(exchanges)
    for alike in _ALIKE:
        for a, b in permutations([symbol for symbol in alike if symbol in expected.free_symbols], 2):
            if are_equal(found, expected.xreplace({a: b, b: a})):
                yield f"{_format(a)} and {_format(b)} have changed places"


class _Trial:
    """Try many exchanges of quantities quickly: an exchange is only another argument for a compiled factor."""

    def __init__(self, found: Any, ordered: Any, symbols: set[Any]) -> None:
        numbers = random.Random(11)
        self._values = {symbol: numbers.uniform(0.2, 0.9) for symbol in sorted(symbols, key=str)}
        arguments = list(self._values)
        self._factors = [sp.lambdify(arguments, factor.doit(), modules="math") for factor in _factors(ordered)]
        self._target = float(sp.lambdify(arguments, found, modules="math")(*self._values.values()))
        self._plain = [factor(*self._values.values()) for factor in self._factors]

    def fits(self, exchanges: Sequence[tuple[Any, Any]]) -> bool:
        """Return whether exchanges of used for meant, everywhere or inside one factor, give the found formula."""
        values = self._values | {meant: self._values[used] for used, meant in exchanges}
        changed = [factor(*values.values()) for factor in self._factors]
        if self._is_target(changed):
            return True
        return any(
            self._is_target([*self._plain[:k], changed[k], *self._plain[k + 1 :]])
            for k in range(len(changed))
            if changed[k] != self._plain[k]
        )

    def _is_target(self, factors: list[float]) -> bool:
        return math.isclose(math.prod(factors), self._target, rel_tol=1e-10)


def _describe_exchange(exchanges: Sequence[tuple[Any, Any]]) -> str:
    used, meant = (" and ".join(map(_format, symbols)) for symbols in zip(*exchanges, strict=True))
    return f"{used} stand where {meant} belong" if len(exchanges) > 1 else f"{used} stands where {meant} belongs"


def _try_row(found: Any, expected: Any, ordered: Any) -> Iterator[str]:
    """A reference slipped to another row, or is fixed to one."""
    own_row = {s: sp.Symbol(quantity_of(s)) for s in found.free_symbols | expected.free_symbols}
    if are_equal(found.xreplace(own_row), expected.xreplace(own_row)):
        wrong = {own_row[symbol] for symbol in found.free_symbols - expected.free_symbols}
        yield f"{', '.join(map(_format, sorted(wrong, key=str)))} is read from another row"


def _describe_difference(found: Any, expected: Any) -> str:
    difference = sp.expand(found - expected)
    if len(str(difference)) > _MAX_SHOWN * 3:
        return "the formula is another one"
    return f"found minus expected is {_format(difference)}"
