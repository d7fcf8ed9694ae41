"""The smallest change that would make a right formula the wrong one that was found, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
import sympy as sp

from backprop.check.functions import Floats
from backprop.check.run import RightRun, agree
from backprop.check.tables import CLASS
from backprop.check.trees import ONE, Node, Values, compute, exchange, find_symbols, power, to_tree, walk
from backprop.derivation import slips
from backprop.errors import BackpropError
from backprop.network import LEARNING_RATE
from backprop.notation import Shifted
from backprop.printers.infix import ATOM, Text
from backprop.printers.text import TextPrinter

_MAX_SHOWN, _MAX_PAIRS = 160, 60
_UNKNOWN = "the formula is another one"


@dataclass(frozen=True)
class Mistaken:
    """A wrong formula as far as its explanation needs it: what it gives and reads at points of a right run."""

    quantity: str
    expected: Any
    """The right formula, a sympy expression in class order."""
    found: Floats
    """What the wrong formula gives, one number a point."""
    values: Values
    """The right run's numbers of a symbol, plain or of another row."""
    reads: frozenset[Any]
    """Symbols of the quantities that the wrong formula reads, directly or through other cells."""

    def gives(self, node: Node) -> bool:
        """Return whether a changed formula gives what the wrong one does."""
        try:
            with np.errstate(all="ignore"):
                numbers = compute(node, self.values)
        except (KeyError, ArithmeticError, ValueError, TypeError):
            return False
        return bool(np.all(np.isfinite(numbers))) and agree(numbers, self.found)


def explain(mistaken: Mistaken, composed: Any = None) -> str:
    """Describe what is wrong; `composed` is the right formula in quantities that the wrong one reads, if it differs."""
    try:
        for expression in (mistaken.expected, *([] if composed is None else [composed])):
            attempt = replace(mistaken, expected=expression)
            tree = to_tree(expression)
            for edit in _EDITS:
                for words in edit(attempt, tree):
                    return words
        return _describe_reading(mistaken)
    except (BackpropError, KeyError, ArithmeticError, ValueError, TypeError):
        # A network of another kind may lead to functions that have no sign on paper.
        return _UNKNOWN


def explain_class_slip() -> Mapping[str, str]:
    """Return what is said of the mistakes that stand in the class sheet itself, by gradient."""
    run = RightRun(CLASS.network)
    found = {}
    for slip in slips(run.derivation):
        numbers = compute(to_tree(slip.taught), run.values)
        found[slip.name] = explain(
            Mistaken(slip.name, slip.derived, numbers, run.values, frozenset(slip.taught.free_symbols))
        )
    return found


class _RowPrinter(TextPrinter):
    def _print_Shifted(self, expression: Any) -> Text:
        distance, side = abs(expression.rows), "below" if expression.rows > 0 else "above"
        rows = "the row" if distance == 1 else f"{distance} rows"
        return Text(f"{self.symbol(expression.quantity)} of {rows} {side}", ATOM)


def _format(expression: Any) -> str:
    printed = _RowPrinter().print(expression)
    return printed if len(printed) <= _MAX_SHOWN else printed[:_MAX_SHOWN] + " …"


def _format_factor(factor: Any) -> str:
    return f"({_format(factor)})" if isinstance(factor, sp.Add) else _format(factor)


def _sorted(symbols: Any) -> list[Any]:
    return sorted(symbols, key=str)


def _try_sign(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    if mistaken.gives(Node("negative", (tree,))):
        yield "the sign is the wrong way round"
    for symbol in _sorted(find_symbols(tree)):
        minus = _negate_leaves(tree, symbol)
        if mistaken.gives(minus):
            yield f"the sign of {_format(symbol)} is the wrong way round"
    for node, rebuild in walk(tree):
        for place, term in enumerate(node.parts if node.operation == "+" else ()):
            turned = (*node.parts[:place], Node("negative", (term,)), *node.parts[place + 1 :])
            if mistaken.gives(rebuild(node._replace(parts=turned))):
                bare = term.parts[0] if term.operation == "negative" else term
                yield f"the sign of {_format(bare.source)} is the wrong way round in {_format_factor(node.source)}"


def _negate_leaves(node: Node, symbol: Any) -> Node:
    if node.is_symbol:
        return Node("negative", (node,)) if node.leaf == symbol else node
    return node._replace(parts=tuple(_negate_leaves(part, symbol) for part in node.parts))


def _try_factor(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    products = [(node, rebuild) for node, rebuild in walk(tree) if node.operation == "*"]
    for count in (1, 2):
        for node, rebuild in products:
            for kept in combinations(node.parts, max(len(node.parts) - count, 0)):
                if kept and mistaken.gives(rebuild(node._replace(parts=kept))):
                    missing = [factor for factor in node.parts if not any(factor is k for k in kept)]
                    yield f"the factor {' · '.join(_format_factor(f.source) for f in missing)} is missing"
    for node, rebuild in products:
        for factor in node.parts:
            if mistaken.gives(rebuild(node._replace(parts=(*node.parts, factor)))):
                yield f"the factor {_format_factor(factor.source)} stands there once too often"
    for symbol in _sorted(find_symbols(tree) | mistaken.reads):
        if mistaken.gives(Node("*", (tree, Node("", leaf=symbol)))):
            yield f"the factor {_format(symbol)} does not belong there"
    with np.errstate(all="ignore"):
        ratio = np.asarray(mistaken.found) / compute(tree, mistaken.values)
    if np.all(np.isfinite(ratio)) and agree(ratio, float(ratio[0])) and ratio[0] != 0:
        number = sp.nsimplify(float(f"{ratio[0]:.10g}"), rational=True, tolerance=1e-9)
        yield f"it is {_format(number)} times what it should be"


def _try_brackets(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """A sum times factors: without its brackets the factors reach one term only."""
    for node, rebuild in walk(tree):
        for place, factor in enumerate(node.parts if node.operation == "*" else ()):
            if factor.operation != "+":
                continue
            first, *middle, last = factor.parts
            before, after = node.parts[:place], node.parts[place + 1 :]
            spread = Node("+", (Node("*", (*before, first)), *middle, Node("*", (last, *after))))
            if mistaken.gives(rebuild(spread)):
                tail = " · ".join(_format_factor(part.source) for part in after)
                if tail and place == 0:
                    yield f"brackets are missing: {tail} multiplies only the last term of the sum"
                else:
                    yield f"brackets are missing around {_format(factor.source)}"


def _try_sigmoid(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """1/(1 + EXP(-x)), of which a part is easily lost."""
    for node, rebuild in walk(tree):
        if node.operation != "^" or node.parts[0].operation != "+" or node.parts[1].leaf != -1.0:
            continue
        _, exponential = node.parts[0].parts
        (inside,) = exponential.parts
        x = inside.parts[0] if inside.operation == "negative" else inside
        growing = exponential._replace(parts=(x,))
        wrong = {
            "brackets are missing: only 1 is divided by 1": Node("+", (ONE, exponential)),
            "it is EXP(-x) in place of 1/(1 + EXP(-x))": exponential,
            "it is EXP(x) in place of 1/(1 + EXP(-x))": growing,
            "1 - EXP(-x) stands where 1 + EXP(-x) belongs": power(
                Node("+", (ONE, Node("negative", (exponential,)))), -1.0
            ),
            "it is 1 + EXP(-x) and not 1 divided by that": node.parts[0],
        }
        yield from (words for words, other in wrong.items() if mistaken.gives(rebuild(other)))


def _try_operator(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """Another operator stands between two operands, or another power."""
    for node, rebuild in walk(tree):
        if node.operation == "+" and len(node.parts) == 2:
            a, b = node.parts
            bare = b.parts[0] if b.operation == "negative" else b
            for sign, other in (("*", Node("*", (a, bare))), ("/", Node("*", (a, power(bare, -1.0))))):
                if mistaken.gives(rebuild(other)):
                    between = f"{_format(a.source)} {sign} {_format_factor(bare.source)}"
                    yield f"{between} stands where {_format(node.source)} belongs"
        if node.operation == "*":
            for place, factor in enumerate(node.parts):
                divided = (*node.parts[:place], power(factor, -1.0), *node.parts[place + 1 :])
                added = Node("+", (Node("*", node.parts[:place] or (ONE,)), Node("*", node.parts[place:])))
                less = Node("+", (added.parts[0], Node("negative", (added.parts[1],))))
                if mistaken.gives(rebuild(node._replace(parts=divided))):
                    yield f"it is divided by {_format_factor(factor.source)} and not multiplied"
                for sign, other in (("+", added), ("-", less)) if place else ():
                    if mistaken.gives(rebuild(other)):
                        yield f"{sign} stands where * belongs before {_format_factor(factor.source)}"
        if node.operation == "^" and node.parts[1].leaf == 2.0:
            for exponent in (1.0, 3.0, 0.5, 4.0):
                if mistaken.gives(rebuild(power(node.parts[0], exponent))):
                    is_lost = exponent == 1.0
                    yield "the square is missing" if is_lost else f"the power is {exponent:g} where 2 belongs"


def _try_exchange(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """A quantity stands where another belongs: everywhere, inside one part, or in one place."""
    symbols = find_symbols(tree)
    strange = mistaken.reads - symbols
    for used in _sorted(strange or mistaken.reads):
        for meant in _sorted(symbols - {used}):
            if any(mistaken.gives(other) for other in _exchange_somewhere(tree, used, meant)):
                yield f"{_format(used)} stands where {_format(meant)} belongs"


def _exchange_somewhere(tree: Node, used: Any, meant: Any) -> Iterator[Node]:
    yield exchange(tree, {meant: used})
    for node, rebuild in walk(tree):
        if node is not tree and (node.leaf == meant if not node.operation else meant in find_symbols(node)):
            yield rebuild(exchange(node, {meant: used}))


def _try_places(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    for a, b in combinations(_sorted(find_symbols(tree)), 2):
        if mistaken.gives(exchange(tree, {a: b, b: a})):
            yield f"{_format(a)} and {_format(b)} have changed places"


def _try_other_quantity(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """The formula of another quantity, copied to the wrong column."""
    names = [e.name for e in (*CLASS.forward, *CLASS.gradients)]
    for name in (*names, *CLASS.network.parameters):
        numbers = mistaken.values(sp.Symbol(name))
        symbol = sp.Symbol(name)
        if name != mistaken.quantity and numbers is not None and agree(numbers, mistaken.found):
            if symbol not in mistaken.reads:
                yield f"this is the formula of {_format(symbol)}"
            elif symbol not in find_symbols(tree):
                yield f"it only repeats {_format(symbol)}"


def _try_pairs(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """Two quantities stand where two others belong."""
    symbols = find_symbols(tree)
    strange, missing = _sorted(mistaken.reads - symbols), _sorted(symbols - mistaken.reads)
    pairs = [(u, m) for u in combinations(strange, 2) for m in permutations(missing or _sorted(symbols), 2)]
    for used, meant in pairs[:_MAX_PAIRS]:
        exchanged = dict(zip(meant, used, strict=True))
        parts = (rebuild(exchange(node, exchanged)) for node, rebuild in walk(tree) if node.operation in ("+", "*"))
        if mistaken.gives(exchange(tree, exchanged)) or any(map(mistaken.gives, parts)):
            a, b = sorted(zip(map(_format, used), map(_format, meant), strict=True))
            yield f"{a[0]} and {b[0]} stand where {a[1]} and {b[1]} belong"


def _try_row(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    """A reference slipped to another row, or is fixed to one."""
    symbols = find_symbols(tree)
    strange = mistaken.reads - symbols
    slips = [(used, meant) for used in _sorted(strange) for meant in symbols if _name(used) == _name(meant)]
    for chosen in ([slip] for slip in slips):
        if any(mistaken.gives(other) for other in _exchange_somewhere(tree, *chosen[0])):
            yield f"{_format(sp.Symbol(_name(chosen[0][1])))} is read from another row"
    if slips and mistaken.gives(exchange(tree, {meant: used for used, meant in slips})):
        yield f"{', '.join(_format(sp.Symbol(_name(meant))) for _, meant in slips)} is read from another row"


def _name(symbol: Any) -> str:
    return str(symbol.quantity if isinstance(symbol, Shifted) else symbol.name)


def _try_term(mistaken: Mistaken, tree: Node) -> Iterator[str]:
    for node, rebuild in walk(tree):
        for place, term in enumerate(node.parts if node.operation == "+" else ()):
            kept = (*node.parts[:place], *node.parts[place + 1 :])
            if mistaken.gives(rebuild(node._replace(parts=kept))):
                yield f"the term {_format(term.source)} is missing from the sum"


def _describe_reading(mistaken: Mistaken) -> str:
    """Say what it reads and should not, and the other way round, where nothing smaller explains it."""
    symbols = find_symbols(to_tree(mistaken.expected))
    eta = sp.Symbol(LEARNING_RATE)
    missing, strange = (
        ", ".join(map(_format, _sorted(s - {eta}))) for s in (symbols - mistaken.reads, mistaken.reads - symbols)
    )
    if missing and strange:
        return f"{_UNKNOWN}: it does not read {missing}, and reads {strange}"
    if missing or strange:
        return f"{_UNKNOWN}: it does not read {missing}" if missing else f"{_UNKNOWN}: it also reads {strange}"
    return _UNKNOWN


_EDITS = (
    *(_try_sign, _try_factor, _try_brackets, _try_sigmoid, _try_row, _try_operator),
    *(_try_exchange, _try_places, _try_other_quantity, _try_pairs, _try_term),
)
