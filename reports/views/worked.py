"""Iteration 0 worked by hand: every formula with the numbers put in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import sympy as sp
from markupsafe import Markup

from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_name
from backprop.notation import product, total
from reports.part1 import Part1
from reports.views.formulas import Formula, formula, partial, value_of, with_numbers


@dataclass(frozen=True)
class Worked:
    """One formula of iteration 0: with letters, with numbers put in, and its value."""

    formula: Formula
    numbers: tuple[Markup, ...]
    value: float


@dataclass(frozen=True)
class WorkedGroup:
    """Formulas of one kind."""

    name: Literal["forward", "output_weights", "hidden_activations", "hidden_weights", "updates"]
    lines: tuple[Worked, ...]


def work_out(part1: Part1) -> tuple[WorkedGroup, ...]:
    """Put the numbers of iteration 0 into every formula, in the order in which they are computed."""
    trace, derivation = part1.trace, part1.derivation
    values: dict[Any, float] = {sp.Symbol(name): value for name, value in part1.preset.values.items()}
    values |= {sp.Symbol(name): float(trace.column(name)[0]) for name in trace.columns}
    values[sp.Symbol(LEARNING_RATE)] = trace.learning_rate
    hidden, output = derivation.network.layers
    return (
        WorkedGroup("forward", _work(((e.symbol, e.expression) for e in derivation.forward), values)),
        WorkedGroup("output_weights", _work((_gradient(part1, w) for n in output for w in n.weights), values)),
        WorkedGroup("hidden_activations", _work((s for n in hidden for s in _sum(part1, n.activation)), values)),
        WorkedGroup(
            "hidden_weights",
            _work((_short_gradient(part1, w, n.activation) for n in hidden for w in n.weights), values),
        ),
        WorkedGroup("updates", _work(((sp.Symbol(f"{e.name}_new"), e.expression) for e in derivation.updates), values)),
    )


def _gradient(part1: Part1, weight: str) -> tuple[Any, Any]:
    return partial(TOTAL_ERROR, weight), part1.derivation.equation(gradient_name(weight)).expression


def _sum(part1: Part1, activation: str) -> Iterator[tuple[Any, Any]]:
    """Yield the derivative of each error by an activation, and their sum."""
    signs = [partial(error, activation) for error in part1.derivation.network.errors]
    for error, sign in zip(part1.derivation.network.errors, signs, strict=True):
        yield sign, part1.contributions[error, activation]
    yield partial(TOTAL_ERROR, activation), total(signs)


def _short_gradient(part1: Part1, weight: str, activation: str) -> tuple[Any, Any]:
    """Keep ∂E_total/∂activation as one factor instead of the sum that stands for it."""
    left, expression = _gradient(part1, weight)
    return left, product((partial(TOTAL_ERROR, activation), *expression.args[1:]))


def _work(pairs: Iterable[tuple[Any, Any]], values: dict[Any, float]) -> tuple[Worked, ...]:
    """Compute symbols from their expressions; what is computed is added to the values."""
    lines = []
    for left, expression in pairs:
        known = values.get(left)
        result = value_of(expression, values) if known is None else known
        values[left] = result
        lines.append(Worked(formula((left, expression)), with_numbers(expression, values, result), result))
    return tuple(lines)
