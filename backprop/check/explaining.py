"""The smallest change that would make a wrong formula right, in words."""

import math
import random
from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import sympy as sp

from backprop.check.comparing import equal, is_small
from backprop.check.resolving import BEFORE
from backprop.check.tables import BIASES
from backprop.errors import BackpropError
from backprop.network import gradient_name
from backprop.printers.text import TextPrinter

_KINDS = (
    ("t1", "t2"),
    ("i1", "i2"),
    ("w1", "w2", "w3", "w4"),
    ("w5", "w6", "w7", "w8"),
    ("h1", "h2", "o1", "o2"),
    ("a_h1", "a_h2", "a_o1", "a_o2"),
    ("E1", "E2", "E_total"),
    tuple(f"dE_dw{n}" for n in range(1, 9)),
    BIASES,
    tuple(map(gradient_name, BIASES)),
)
_MAX_SHOWN = 160


def explain(found: Any, expected: Any) -> str:
    """Describe what is wrong. `expected` is in class order; where no small change fits, the difference is shown."""
    if not is_small(found):
        return "the formula is another one"
    try:
        for attempt in (_wrong_sign, _missing_factor, _missing_brackets, _exchanged, _wrong_row, _dropped_term):
            for words in attempt(found, expected.doit(), expected):
                return words
        return _difference(found, expected.doit())
    except BackpropError:  # a foreign formula may lead to functions that have no sign on paper
        return "the formula is another one"
    except (ArithmeticError, ValueError, TypeError):
        return "the formula is another one, and has no finite value"


def _text(expression: Any) -> str:
    printed = TextPrinter().print(expression).replace(BEFORE, " of the row above")
    return printed if len(printed) <= _MAX_SHOWN else printed[:_MAX_SHOWN] + " …"


def _wrong_sign(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    if equal(found, -expected):
        yield "the sign is the wrong way round"
    for symbol in sorted(expected.free_symbols, key=str):
        if equal(found, expected.xreplace({symbol: -symbol})):
            yield f"the sign of {_text(symbol)} is the wrong way round"


def _parts(shown: Any) -> list[Any]:
    return list(shown.args) if isinstance(shown, sp.Mul) else [shown]


def _missing_factor(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    factors = _parts(shown)
    for count in (1, 2):
        for missing in combinations(factors, count):
            rest = sp.Mul(*(f.doit() for f in factors if f not in missing))
            if len(factors) > count and equal(found, rest):
                yield f"the factor {' · '.join(map(_bracketed, missing))} is missing"
    for factor in factors:
        if equal(found, expected * factor.doit()):
            yield f"the factor {_bracketed(factor)} stands there once too often"
    for symbol in sorted(expected.free_symbols | found.free_symbols, key=str):
        if equal(found, expected * symbol):
            yield f"the factor {_text(symbol)} does not belong there"
    ratio = sp.nsimplify(sp.simplify(found / expected)) if found.free_symbols == expected.free_symbols else None
    if ratio is not None and ratio.is_number and ratio != 1:
        yield f"it is {_text(ratio)} times what it should be"


def _bracketed(factor: Any) -> str:
    return f"({_text(factor)})" if isinstance(factor, sp.Add) else _text(factor)


def _missing_brackets(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    """A sum times factors: without its brackets the factors reach one term only."""
    factors = _parts(shown)
    for position, factor in enumerate(factors):
        if not isinstance(factor, sp.Add):
            continue
        before = sp.Mul(*(f.doit() for f in factors[:position]))
        after = sp.Mul(*(f.doit() for f in factors[position + 1 :]))
        first, *middle, last = [term.doit() for term in factor.args]
        if equal(found, before * first + sum(middle) + last * after):
            tail = " · ".join(map(_bracketed, factors[position + 1 :]))
            if tail and position == 0:
                yield f"brackets are missing: {tail} multiplies only the last term of the sum"
            else:
                yield f"brackets are missing around {_text(factor)}"


def _dropped_term(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    factors = _parts(shown)
    for factor in factors:
        if isinstance(factor, sp.Add):
            others = sp.Mul(*(f.doit() for f in factors if f is not factor))
            for dropped in factor.args:
                kept = sp.Add(*(term.doit() for term in factor.args if term is not dropped))
                if equal(found, others * kept):
                    yield f"the term {_text(dropped)} is missing from the sum"


def _names(kind: tuple[str, ...], expected: Any) -> list[str]:
    present = {symbol.name for symbol in expected.free_symbols}
    return [name + suffix for suffix in ("", BEFORE) for name in kind if name + suffix in present]


def _exchanged(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    """One or two quantities stand where others belong, all of them or inside one factor."""
    candidates = []
    everything = {symbol.name for symbol in found.free_symbols | expected.free_symbols}
    for kind in _KINDS:
        for meant in _names(kind, expected):
            suffix = BEFORE if meant.endswith(BEFORE) else ""
            for used in kind:
                if used + suffix != meant and used + suffix in everything:
                    candidates.append((used + suffix, meant))
    trial = _Trial(found, shown, everything)
    for count in (1, 2):
        for chosen in combinations(candidates, count):
            if len({meant for _, meant in chosen}) == count and trial.fits(chosen):
                yield _standing(chosen)
    for kind in _KINDS:
        present = _names(kind, expected)
        for pair in permutations(present, 2):
            swap = {sp.Symbol(pair[0]): sp.Symbol(pair[1]), sp.Symbol(pair[1]): sp.Symbol(pair[0])}
            if equal(found, expected.xreplace(swap)):
                yield f"{_text(sp.Symbol(pair[0]))} and {_text(sp.Symbol(pair[1]))} have changed places"


class _Trial:
    """Try many exchanges of quantities quickly: an exchange is only another argument for a compiled factor."""

    def __init__(self, found: Any, shown: Any, names: set[str]) -> None:
        numbers = random.Random(11)
        self._values = {name: numbers.uniform(0.2, 0.9) for name in sorted(names)}
        symbols = [sp.Symbol(name) for name in self._values]
        self._factors = [sp.lambdify(symbols, factor.doit(), modules="math") for factor in _parts(shown)]
        self._target = float(sp.lambdify(symbols, found, modules="math")(*self._values.values()))
        self._plain = [factor(*self._values.values()) for factor in self._factors]

    def fits(self, chosen: tuple[tuple[str, str], ...]) -> bool:
        """Tell whether the exchange, everywhere or inside one factor only, gives the found formula."""
        values = self._values | {meant: self._values[used] for used, meant in chosen}
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


def _standing(chosen: tuple[tuple[str, str], ...]) -> str:
    used = " and ".join(_text(sp.Symbol(u)) for u, _ in chosen)
    meant = " and ".join(_text(sp.Symbol(m)) for _, m in chosen)
    return (
        f"{used} {'stand' if len(chosen) > 1 else 'stands'} where {meant} {'belong' if len(chosen) > 1 else 'belongs'}"
    )


def _wrong_row(found: Any, expected: Any, shown: Any) -> Iterator[str]:
    """A reference slipped to another row, or is fixed to one."""
    shifted = {s: sp.Symbol(s.name.split("@")[0].removesuffix(BEFORE)) for s in found.free_symbols}
    plain = {s: sp.Symbol(s.name.removesuffix(BEFORE)) for s in expected.free_symbols}
    if equal(found.xreplace(shifted), expected.xreplace(plain)):
        wrong = sorted({k.name.split("@")[0].removesuffix(BEFORE) for k in found.free_symbols - expected.free_symbols})
        yield f"{', '.join(_text(sp.Symbol(name)) for name in wrong)} is read from another row"


def _difference(found: Any, expected: Any) -> str:
    difference = sp.expand(found - expected)
    if len(str(difference)) > _MAX_SHOWN * 3:
        return "the formula is another one"
    return f"found minus expected is {_text(difference)}"
