"""Iteration 0 worked by hand: every formula with the numbers put in."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import Derivation, chain_factors
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Preset, gradient_name
from backprop.notation import product, total
from backprop.simulate import Trace
from reports.views.formulas import Formula, formula, partial, value_of, with_numbers


@dataclass(frozen=True)
class Worked:
    """One formula of iteration 0: with letters, with numbers put in, and its value."""

    formula: Formula
    numbers: tuple[Markup, ...]
    value: float


@dataclass(frozen=True)
class WorkedGroup:
    """Formulas that belong together."""

    title: str
    lines: tuple[Worked, ...]


def work_out(derivation: Derivation, preset: Preset, trace: Trace) -> tuple[WorkedGroup, ...]:
    """Put the numbers of iteration 0 into every formula, in the order in which they are computed."""
    values: dict[Any, float] = {sp.Symbol(name): value for name, value in preset.values.items()}
    values |= {sp.Symbol(name): float(trace.column(name)[0]) for name in trace.columns}
    values[sp.Symbol(LEARNING_RATE)] = trace.learning_rate
    hidden, output = derivation.network.layers
    forward = [(e.symbol, e.expression) for e in derivation.forward]
    outer = [_gradient(derivation, w) for neuron in output for w in neuron.weights]
    back = [pair for neuron in hidden for pair in _by_ways(derivation, neuron.activation)]
    inner = [_short_gradient(derivation, w, neuron.activation) for neuron in hidden for w in neuron.weights]
    updates = [(sp.Symbol(f"{e.name}_new"), e.expression) for e in derivation.updates]
    groups = (
        ("Forward: from the inputs to the error", forward),
        ("Backward: the weights of the output layer (panel 3)", outer),
        ("Backward: the hidden activations (panel 4)", back),
        ("Backward: the weights of the hidden layer (panels 5 and 6)", inner),
        ("Update: one step against each gradient", updates),
    )
    return tuple(WorkedGroup(title, _work(pairs, values)) for title, pairs in groups)


def _gradient(derivation: Derivation, weight: str) -> tuple[Any, Any]:
    return partial(TOTAL_ERROR, weight), derivation.equation(gradient_name(weight)).expression


def _by_ways(derivation: Derivation, activation: str) -> list[tuple[Any, Any]]:
    """Give what an activation does to each error, and the sum of that."""
    ways = [partial(error, activation) for error in derivation.network.errors]
    symbols = [(sp.Symbol(error), sp.Symbol(activation)) for error in derivation.network.errors]
    parts = [product(chain_factors(derivation.forward, inner, error)) for error, inner in symbols]
    return [*zip(ways, parts, strict=True), (partial(TOTAL_ERROR, activation), total(ways))]


def _short_gradient(derivation: Derivation, weight: str, activation: str) -> tuple[Any, Any]:
    """Keep ∂E_total/∂activation as one factor instead of the sum that stands for it."""
    left, expression = _gradient(derivation, weight)
    return left, product((partial(TOTAL_ERROR, activation), *expression.args[1:]))


def _work(pairs: list[tuple[Any, Any]], values: dict[Any, float]) -> tuple[Worked, ...]:
    lines = []
    for left, expression in pairs:
        known = values.get(left)
        result = value_of(expression, values) if known is None else known
        values[left] = result
        lines.append(Worked(formula((left, expression)), with_numbers(expression, values, result), result))
    return tuple(lines)
