"""The derivation as the class sheet tells it: six numbered panels of lines, each a chain of equal terms."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import sympy as sp

from backprop.activations import ACTIVATIONS
from backprop.derivation import Derivation, Equation, Expression, chain_factors, local_derivative, users
from backprop.errors import BackpropError
from backprop.network import TOTAL_ERROR, Kind, Neuron, gradient_name
from backprop.notation import Partial, product

_E = sp.Symbol(TOTAL_ERROR)


@dataclass(frozen=True)
class Line:
    """Terms that equal each other from left to right, and one sentence that says why."""

    terms: tuple[Expression, ...]
    meaning: str


@dataclass(frozen=True)
class Panel:
    """One numbered box of the class sheet."""

    number: int
    title: str
    lines: tuple[Line, ...]


def panels(derivation: Derivation) -> tuple[Panel, ...]:
    """Tell a derivation in the class sheet's six steps. Raises BackpropError unless there is one hidden layer."""
    if len(derivation.network.layers) != 2:
        raise BackpropError("the six panels are about one hidden layer: use --format json for other networks")
    hidden, output = derivation.network.layers
    first_hidden = _symbols(w for neuron in hidden for w in neuron.weights)
    last = _symbols(w for neuron in output for w in neuron.weights)
    return (
        Panel(1, "Forward pass", tuple(_forward_lines(derivation))),
        Panel(2, f"Chain rule for {last[0]}, step by step", tuple(_chain_lines(derivation, last[0]))),
        Panel(3, "The weights of the output layer", tuple(map(partial(_gradient_line, derivation), last))),
        Panel(4, "Back to the hidden activations", tuple(_activation_lines(derivation, hidden))),
        Panel(5, "Chain rule for the hidden layer", tuple(map(partial(_path_line, derivation), first_hidden))),
        Panel(6, "The weights of the hidden layer", tuple(map(partial(_gradient_line, derivation), first_hidden))),
    )


def _symbols(names: object) -> tuple[Expression, ...]:
    return tuple(map(sp.Symbol, names))  # type: ignore[call-overload]


def _forward_lines(derivation: Derivation) -> list[Line]:
    """Give net inputs, then activations, layer by layer, then the total error and its parts, as the class does."""
    lines: list[Line] = []
    for layer in derivation.network.layers:
        lines += [_line(derivation.equation(neuron.name)) for neuron in layer]
        lines += [_line(derivation.equation(neuron.activation)) for neuron in layer]
    first = derivation.network.layers[0][0]
    spelled_out = ACTIVATIONS[derivation.network.activation].definition(sp.Symbol(first.name))
    if not isinstance(spelled_out, sp.tanh):  # which would read the same once more
        place = next(i for i, line in enumerate(lines) if line.terms[0] == sp.Symbol(first.activation))
        lines[place] = Line((*lines[place].terms, spelled_out), lines[place].meaning)
    return [*lines, *(_line(derivation.equation(name)) for name in (TOTAL_ERROR, *derivation.network.errors))]


def _line(equation: Equation) -> Line:
    return Line((equation.symbol, equation.expression), equation.meaning)


def _path(derivation: Derivation, symbol: Expression) -> list[Expression]:
    """Follow a symbol towards the total error for as long as there is one way only."""
    path = [symbol]
    while path[-1] != _E and len(onwards := users(derivation.forward, path[-1], _E)) == 1:
        path.append(onwards[0].symbol)
    return path


def _chain_lines(derivation: Derivation, weight: Expression) -> list[Line]:
    """Take ∂E_total/∂weight apart, one factor a line."""
    *path, _ = _path(derivation, weight)
    error, left = path[-1], Partial(_E, weight)
    equations = {later: derivation.equation(str(later)) for later in path[1:]}
    links = [(later, earlier) for earlier, later in pairwise(path)][::-1]
    lines = [
        Line((left, Partial(derivation.equation(TOTAL_ERROR).expression, weight)), "the total error is a sum"),
        Line((left, Partial(error, weight)), f"{weight} reaches {error} alone, so the other error drops out"),
        Line(
            (left, Partial(error, weight), product(Partial(*link) for link in links)),
            "the chain rule: one factor for every step on the way from the error back to the weight",
        ),
    ]
    for later, earlier in links:
        equation = equations[later]
        shown = (Partial(equation.expression, earlier),) if earlier != weight else ()
        terms = (Partial(later, earlier), *shown, local_derivative(equation, earlier))
        lines.append(Line(terms, f"how {_what(derivation, later)} changes with {_what(derivation, earlier)}"))
    return lines


def _what(derivation: Derivation, symbol: Expression) -> str:
    kind = derivation.network.kind(str(symbol))
    return f"the {'output' if kind is Kind.ACTIVATION else kind.value} {symbol}"


def _gradient_line(derivation: Derivation, weight: Expression) -> Line:
    gradient = derivation.equation(gradient_name(str(weight))).expression
    neuron = next(n for layer in derivation.network.layers for n in layer if str(weight) in n.weights)
    came_in = f"{gradient.args[-1]}, which came in through {weight}"
    if neuron in derivation.network.layers[-1]:
        meaning = f"the error signal of {neuron.name}, times {came_in}"
    else:
        meaning = f"what comes back to {neuron.activation}, times the slope there, times {came_in}"
    return Line((Partial(_E, weight), gradient), meaning)


def _activation_lines(derivation: Derivation, hidden: tuple[Neuron, ...]) -> list[Line]:
    """Sum what each hidden output does to every error; the parts are shown for the first one."""
    first = sp.Symbol(hidden[0].activation)
    parts = [
        Line(
            (Partial(error, first), product(chain_factors(derivation.forward, first, error))),
            f"what {first} does to {error}",
        )
        for error in _symbols(derivation.network.errors)
    ]
    sums = [
        Line(
            (Partial(_E, a), product(chain_factors(derivation.forward, a))), f"{a} feeds both outputs: the parts add up"
        )
        for a in _symbols(neuron.activation for neuron in hidden)
    ]
    return parts + sums


def _path_line(derivation: Derivation, weight: Expression) -> Line:
    path = _path(derivation, weight)
    links = [Partial(later, earlier) for earlier, later in pairwise(path)][::-1]
    return Line(
        (Partial(_E, weight), product((Partial(_E, path[-1]), *links))),
        f"{weight} reaches the error through {path[-1]}: that derivative, times the two steps before it",
    )
