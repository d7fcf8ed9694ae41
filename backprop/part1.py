"""Part 1 of the assignment, derived and simulated once: what every view, drawing and printer of the page reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from backprop.activations import expand_functions
from backprop.derivation import (
    Derivation,
    Expression,
    Identity,
    Slip,
    as_taught,
    derive,
    replace_symbols,
    slips,
    slopes,
    verify_gradients,
)
from backprop.network import LEARNING_RATE, SHEET_ITERATIONS, SHEET_LEARNING_RATES, TOTAL_ERROR, Preset, gradient_name
from backprop.networks.presets import PRESETS
from backprop.notation import Partial, Shifted, product, total
from backprop.panels import Panel, panels
from backprop.printers.javascript import step_function, values_function
from backprop.simulate import Floats, Trace, simulate, simulate_errors

SEARCHED_ITERATIONS = 2000
"""How far to look for the iteration at which the error has halved."""
MAZUR_ITERATIONS = 10_001
STEP, SLOPES, EXPONENTIAL = "networkStep", "networkSlopes", "excelExp"
"""JavaScript functions: the first two are printed from the derivation, and call the third."""


@dataclass(frozen=True)
class Gradient:
    """∂E_total/∂x as a product of chain-rule factors."""

    named: Expression
    """By the signs of the factors, ∂y/∂x …"""
    computed: Expression
    """… and by what they equal."""


@dataclass(frozen=True)
class WorkedExample:
    """Iteration 0 in numbers: equations as (left, right), by kind, in the order in which they are computed."""

    forward: tuple[tuple[Expression, Expression], ...]
    output_weights: tuple[tuple[Expression, Expression], ...]
    hidden_activations: tuple[tuple[Expression, Expression], ...]
    hidden_weights: tuple[tuple[Expression, Expression], ...]
    updates: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Part1:
    """A network's equations and its runs."""

    preset: Preset
    learning_rate: float
    derivation: Derivation
    panels: tuple[Panel, ...]
    identities: tuple[Identity, ...]
    slips: tuple[Slip, ...]
    gradients: Mapping[str, Gradient]
    """By every weight, trained bias, net input, activation and error."""
    update: Expression
    """The next value of any weight w."""
    program: str
    """JavaScript: one iteration, and the derivatives along every edge."""
    trace: Trace
    as_taught: Trace
    """The same run with the class sheet's own slips."""
    worked: WorkedExample
    values: Mapping[Expression, float]
    """Iteration 0: every symbol, every left side of the worked example, every gradient."""
    learning_rates: tuple[float, ...]
    errors: Floats
    """E_total, shape (learning rates, iterations searched); NaN from an overflow on."""
    mazur: tuple[Trace, Trace]
    """Mazur's example, updated simultaneously and sequentially."""


def compute_part1(preset: Preset, learning_rate: float) -> Part1:
    """Derive and simulate everything. Raises BackpropError for a learning rate that makes no run."""
    derivation = derive(preset.network)
    trace = simulate(derivation, preset, learning_rate, SHEET_ITERATIONS)
    rates = tuple(sorted({*SHEET_LEARNING_RATES, learning_rate}))
    gradients, worked = _gradients(derivation), _work_out(derivation)
    return Part1(
        preset=preset,
        learning_rate=learning_rate,
        derivation=derivation,
        panels=panels(derivation),
        identities=verify_gradients(derivation),
        slips=slips(derivation),
        gradients=gradients,
        update=_generalise_update(derivation),
        program=_print_program(derivation),
        trace=trace,
        as_taught=simulate(as_taught(derivation), preset, learning_rate, SHEET_ITERATIONS),
        worked=worked,
        values=_evaluate_all(preset, trace, worked, gradients),
        learning_rates=rates,
        errors=simulate_errors(derivation, preset, rates, SEARCHED_ITERATIONS),
        mazur=_simulate_mazur(),
    )


def _gradients(derivation: Derivation) -> dict[str, Gradient]:
    names = (*(e.name for e in derivation.forward), *derivation.network.parameters)
    return {
        name: Gradient(
            product(derivation.chains.factors(sp.Symbol(name), named=True)),
            product(derivation.chains.factors(sp.Symbol(name))),
        )
        for name in names
    }


def _generalise_update(derivation: Derivation) -> Expression:
    """Return the update rule for any weight w."""
    first = derivation.updates[0]
    generic = {sp.Symbol(first.name): sp.Symbol("w")}
    generic |= {sp.Symbol(gradient_name(first.name)): partial(TOTAL_ERROR, "w")}
    return replace_symbols(first.expression, generic)


def _print_program(derivation: Derivation) -> str:
    arguments = dict.fromkeys((*derivation.constants, *derivation.columns))
    return step_function(derivation, STEP, EXPONENTIAL) + values_function(SLOPES, arguments, slopes(derivation))


def _work_out(derivation: Derivation) -> WorkedExample:
    hidden, output = derivation.network.layers
    return WorkedExample(
        forward=tuple((e.symbol, e.expression) for e in derivation.forward),
        output_weights=tuple(_gradient(derivation, w) for neuron in output for w in neuron.weights),
        hidden_activations=tuple(pair for neuron in hidden for pair in _sum_of_paths(derivation, neuron.activation)),
        hidden_weights=tuple(
            _short_gradient(derivation, w, neuron.activation) for neuron in hidden for w in neuron.weights
        ),
        updates=tuple((Shifted(e.name, 1), e.expression) for e in derivation.updates),
    )


def _gradient(derivation: Derivation, weight: str) -> tuple[Expression, Expression]:
    return partial(TOTAL_ERROR, weight), derivation.equation(gradient_name(weight)).expression


def _sum_of_paths(derivation: Derivation, activation: str) -> Iterator[tuple[Expression, Expression]]:
    """Yield the derivative of each error by an activation, and their sum."""
    signs = [partial(error, activation) for error in derivation.network.errors]
    for sign in signs:
        error, inner = sign.args
        yield sign, product(derivation.chains.factors(inner, error))
    yield partial(TOTAL_ERROR, activation), total(signs)


def _short_gradient(derivation: Derivation, weight: str, activation: str) -> tuple[Expression, Expression]:
    """Keep ∂E_total/∂activation as one factor instead of the sum that stands for it."""
    left, expression = _gradient(derivation, weight)
    return left, product((partial(TOTAL_ERROR, activation), *expression.args[1:]))


def _evaluate_all(
    preset: Preset, trace: Trace, worked: WorkedExample, gradients: Mapping[str, Gradient]
) -> dict[Expression, float]:
    values = {sp.Symbol(name): value for name, value in preset.values.items()}
    values |= {sp.Symbol(name): float(trace.column(name)[0]) for name in trace.columns}
    values[sp.Symbol(LEARNING_RATE)] = trace.learning_rate
    groups = (worked.forward, worked.output_weights, worked.hidden_activations, worked.hidden_weights, worked.updates)
    for left, right in (pair for group in groups for pair in group):
        values.setdefault(left, evaluate(right, values))
    for name, gradient in gradients.items():
        values.setdefault(sp.Symbol(gradient_name(name)), evaluate(gradient.computed, values))
    return values


def evaluate(expression: Expression, values: Mapping[Expression, float]) -> float:
    """Compute an expression from the values of its symbols."""
    numbers = {key: sp.Float(value, 17) for key, value in values.items()}
    return float(expand_functions(expression).xreplace(numbers).evalf(17))


def partial(above: str, below: str) -> Expression:
    """Return ∂above/∂below as a sign."""
    return Partial(sp.Symbol(above), sp.Symbol(below))


def _simulate_mazur() -> tuple[Trace, Trace]:
    preset = PRESETS["mazur"]
    derivation, rate = derive(preset.network), preset.learning_rate
    return (
        simulate(derivation, preset, rate, MAZUR_ITERATIONS),
        simulate(derivation, preset, rate, MAZUR_ITERATIONS, sequential=True),
    )
