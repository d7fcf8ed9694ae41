"""The derivation in the class sheet's six numbered panels of lines, each a chain of equal terms."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import sympy as sp

from backprop.activations import ACTIVATIONS
from backprop.derivation import Derivation, Equation, Expression, local_derivative
from backprop.errors import BackpropError
from backprop.network import TOTAL_ERROR, Kind, Neuron, gradient_name
from backprop.notation import Partial, product

_E = sp.Symbol(TOTAL_ERROR)
_NAMES = ("forward", "output_chain", "output_weights", "hidden_activations", "hidden_chain", "hidden_weights")
_FACTOR_NAMES = ("error_derivative", "activation_derivative", "input_derivative")


@dataclass(frozen=True)
class PanelLine:
    """Terms that equal each other from left to right, and one sentence that says why."""

    terms: tuple[Expression, ...]
    meaning: str
    name: str = ""
    """Of a line that carries the idea: what an explanation of it is filed under."""


@dataclass(frozen=True)
class Panel:
    """One numbered box of the class sheet."""

    number: int
    title: str
    lines: tuple[PanelLine, ...]

    @property
    def name(self) -> str:
        """Return the name that explanations of the panel are filed under."""
        return _NAMES[self.number - 1]


def panels(derivation: Derivation) -> tuple[Panel, ...]:
    """Return a derivation as the class sheet's six panels. Raises BackpropError unless there is one hidden layer."""
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


def _forward_lines(derivation: Derivation) -> list[PanelLine]:
    """Return net inputs, then activations, layer by layer, then the total error and its parts, as the class does."""
    lines: list[PanelLine] = []
    for layer in derivation.network.layers:
        lines += [_line(derivation.equation(neuron.name)) for neuron in layer]
        lines += [_line(derivation.equation(neuron.activation)) for neuron in layer]
    layers = zip(derivation.network.activations, derivation.network.layers, strict=True)
    firsts = {name: layer[0] for name, layer in reversed([*layers]) if name in ACTIVATIONS}
    for name, first in firsts.items():
        definition = ACTIVATIONS[name].definition(sp.Symbol(first.name))
        if not isinstance(definition, sp.tanh):  # which would read the same once more
            place = next(i for i, line in enumerate(lines) if line.terms[0] == sp.Symbol(first.activation))
            lines[place] = PanelLine((*lines[place].terms, definition), lines[place].meaning, "activation")
    lines.append(_line(derivation.equation(TOTAL_ERROR), "total_error"))
    first_error, *others = map(derivation.equation, derivation.network.errors)
    return [*lines, _line(first_error, "squared_error"), *map(_line, others)]


def _line(equation: Equation, name: str = "") -> PanelLine:
    return PanelLine((equation.symbol, equation.expression), equation.meaning, name)


def _path(derivation: Derivation, symbol: Expression) -> list[Expression]:
    """Return the path from a symbol towards the total error, up to where it branches."""
    path = [symbol]
    while path[-1] != _E and len(onwards := derivation.chains.dependents(path[-1], _E)) == 1:
        path.append(onwards[0].symbol)
    return path


def _chain_lines(derivation: Derivation, weight: Expression) -> list[PanelLine]:
    """Return the steps from ∂E_total/∂weight to its factors, one factor a line."""
    *path, _ = _path(derivation, weight)
    error, left = path[-1], Partial(_E, weight)
    equations = {later: derivation.equation(str(later)) for later in path[1:]}
    links = [(later, earlier) for earlier, later in pairwise(path)][::-1]
    total_error, others = derivation.equation(TOTAL_ERROR).expression, len(derivation.network.errors) - 1
    if others:
        drop = "the other error drops out" if others == 1 else "the other errors drop out"
        first = [
            PanelLine((left, Partial(total_error, weight)), "the total error is a sum", "sum"),
            PanelLine((left, Partial(error, weight)), f"{weight} reaches {error} alone, so {drop}", "one_error"),
        ]
    else:
        first = [PanelLine((left, Partial(error, weight)), f"the total error is {error}", "sum")]
    lines = [
        *first,
        PanelLine(
            (left, Partial(error, weight), product(Partial(*link) for link in links)),
            "the chain rule: one factor for every step on the way from the error back to the weight",
        ),
    ]
    for (later, earlier), name in zip(links, _FACTOR_NAMES, strict=True):
        equation = equations[later]
        substituted = (Partial(equation.expression, earlier),) if earlier != weight else ()
        terms = (Partial(later, earlier), *substituted, local_derivative(equation, earlier))
        lines.append(
            PanelLine(terms, f"how {_what(derivation, later)} changes with {_what(derivation, earlier)}", name)
        )
    return lines


def _what(derivation: Derivation, symbol: Expression) -> str:
    kind = derivation.network.kind(str(symbol))
    return f"the {'output' if kind is Kind.ACTIVATION else kind.value} {symbol}"


def _gradient_line(derivation: Derivation, weight: Expression) -> PanelLine:
    gradient = derivation.equation(gradient_name(str(weight))).expression
    neuron = next(n for layer in derivation.network.layers for n in layer if str(weight) in n.weights)
    came_in = f"{gradient.args[-1]}, which came in through {weight}"
    if neuron in derivation.network.layers[-1]:
        meaning = f"the error signal of {neuron.name}, times {came_in}"
    else:
        meaning = f"what comes back to {neuron.activation}, times the slope there, times {came_in}"
    return PanelLine((Partial(_E, weight), gradient), meaning)


def _activation_lines(derivation: Derivation, hidden: tuple[Neuron, ...]) -> list[PanelLine]:
    """Return the derivative of the total error by each hidden output; its parts are shown for the first one."""
    first, outputs = sp.Symbol(hidden[0].activation), len(derivation.network.errors)
    parts = [
        PanelLine(
            (Partial(error, first), product(derivation.chains.factors(first, error))),
            f"what {first} does to {error}",
            f"path_{number}",
        )
        for number, error in enumerate(_symbols(derivation.network.errors), 1)
    ]
    sums = [
        PanelLine(
            (Partial(_E, a), product(derivation.chains.factors(a))),
            f"{a} feeds {'both' if outputs == 2 else f'all {outputs}'} outputs: the parts add up"
            if outputs > 1
            else f"what {a} does to the total error",
            "sum_over_paths" if a == first else "",
        )
        for a in _symbols(neuron.activation for neuron in hidden)
    ]
    return parts + sums if outputs > 1 else sums


def _path_line(derivation: Derivation, weight: Expression) -> PanelLine:
    path = _path(derivation, weight)[:3]  # with one output, it does not branch at the hidden activation
    links = [Partial(later, earlier) for earlier, later in pairwise(path)][::-1]
    return PanelLine(
        (Partial(_E, weight), product((Partial(_E, path[-1]), *links))),
        f"{weight} reaches the error through {path[-1]}: that derivative, times the two steps before it",
    )
