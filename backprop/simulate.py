"""Simulation of the derived equations: one learning rate in plain floats, many at once in NumPy.

Both follow Excel's arithmetic where the class formula breaks: EXP of more than 709.78 is #NUM! there, and whatever
uses that cell is #NUM! too. Such a value is NaN here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.pycode import MpmathPrinter, PythonCodePrinter
from tqdm import tqdm

from backprop.activations import FUNCTIONS
from backprop.derivation import Derivation, Equation
from backprop.errors import BackpropError
from backprop.network import LEARNING_RATE, TOTAL_ERROR, Preset, gradient_name

MAX_ITERATIONS = 10_000_000  # 31 columns of 8 bytes each: 2.5 GB
_LONG_RUN = 200_000  # about a second
_NO_NUMBER = (OverflowError, ValueError, ZeroDivisionError)
"""EXP of too much, LN of what is not positive, a division by 0."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """Every number of a run at one learning rate."""

    columns: tuple[str, ...]
    values: Floats
    """(iterations, columns); NaN where Excel shows #NUM!."""
    learning_rate: float
    overflow: int | None
    """The first iteration in which the class formula overflows, if any does."""

    @cached_property
    def complete(self) -> Floats:
        """The rows before the overflow."""
        return self.values[: self.overflow]

    def column(self, name: str) -> Floats:
        """Return one column over all iterations."""
        return self.values[:, self.columns.index(name)]


def check_learning_rate(learning_rate: float) -> float:
    """Return a learning rate that is a finite positive number; raise BackpropError for any other."""
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise BackpropError(f"the learning rate is {learning_rate}: give a finite number above 0, such as 0.5")
    return learning_rate


def simulate(
    derivation: Derivation, preset: Preset, learning_rate: float, iterations: int, *, sequential: bool = False
) -> Trace:
    """Run `iterations` rows of the sheet at one learning rate in Python floats.

    With `sequential`, hidden gradients use the already updated output weights, as many texts compute by hand.
    Raises BackpropError for a learning rate or a number of iterations that makes no run.
    """
    check_learning_rate(learning_rate)
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise BackpropError(f"{iterations} iterations make no run: give 1 to {MAX_ITERATIONS}")
    step = _compile_step(derivation, _MATH, PythonCodePrinter, sequential=sequential)
    constants, parameters = _starting_values(derivation, preset.values)
    values = np.full((iterations, len(derivation.columns)), np.nan)
    disabled = None if iterations >= _LONG_RUN else True  # None: on terminals only
    for iteration in tqdm(range(iterations), disable=disabled, unit=" iterations", leave=False):
        try:
            row, following = step(learning_rate, constants, parameters)
        except _NO_NUMBER:
            row = [math.inf]
        if not all(map(math.isfinite, row)):
            _fill_cell_by_cell(derivation, preset, learning_rate, values[iteration:], parameters)
            return Trace(derivation.columns, values, learning_rate, overflow=iteration)
        values[iteration], parameters = row, following
    return Trace(derivation.columns, values, learning_rate, overflow=None)


def simulate_many(derivation: Derivation, preset: Preset, learning_rates: Sequence[float], iterations: int) -> Floats:
    """Run many learning rates at once in NumPy: shape (learning rates, iterations, columns); NaN is Excel's #NUM!."""
    etas = np.array([check_learning_rate(eta) for eta in learning_rates])
    step = compile_numpy_step(derivation)
    constants, parameters = _starting_values(derivation, preset.values)
    parameters = [np.full(etas.shape, value) for value in parameters]
    values = np.empty((len(etas), iterations, len(derivation.columns)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for iteration in range(iterations):
            row, parameters = step(etas, constants, parameters)
            for column, numbers in enumerate(row):
                values[:, iteration, column] = numbers
    values[~np.isfinite(values)] = np.nan
    return values


def simulate_errors(derivation: Derivation, preset: Preset, learning_rates: Sequence[float], iterations: int) -> Floats:
    """Return E_total, shape (learning rates, iterations), of many runs at once in NumPy; NaN from the overflow on."""
    values = simulate_many(derivation, preset, learning_rates, iterations)
    return values[:, :, derivation.columns.index(TOTAL_ERROR)]


def simulate_precisely(
    derivation: Derivation, preset: Preset, learning_rate: float, iterations: int
) -> list[list[Any]]:
    """Run in 50-digit arithmetic: one list of mpmath numbers per iteration, in the order of the columns.

    Starting values are taken as the decimals they are written as: 0.1 is one tenth.
    """
    step, rows = _compile_step(derivation, _MPMATH, MpmathPrinter), []
    with mpmath.workdps(50):
        eta = mpmath.mpf(repr(learning_rate))
        decimals = {name: mpmath.mpf(repr(value)) for name, value in preset.values.items()}
        constants, parameters = _starting_values(derivation, decimals)
        for _ in range(iterations):
            row, parameters = step(eta, constants, parameters)
            rows.append(row)
    return rows


def compute_iteration_0(
    derivation: Derivation, preset: Preset, changes: Sequence[Mapping[str, float]]
) -> list[dict[str, float]]:
    """Compute iteration 0 once per change of the starting values: every column by name."""
    step = _compile_step(derivation, _MATH, PythonCodePrinter)
    starts = (_starting_values(derivation, {**preset.values, **change}) for change in changes)
    rows = (step(preset.learning_rate, *start)[0] for start in starts)
    return [dict(zip(derivation.columns, row, strict=True)) for row in rows]


def _starting_values(derivation: Derivation, values: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the values of the constants and of the parameters, in the order in which a step takes them."""
    return [values[name] for name in derivation.constants], [values[name] for name in derivation.network.parameters]


def _exp_or_nan(x: Any) -> Any:
    result = np.exp(x)
    return np.where(np.isinf(result), np.nan, result)


_X = sp.Symbol("x")
_MATH = [{f.__name__: sp.lambdify(_X, f.definition(_X), "math") for f in FUNCTIONS}, "math"]
_GUARDED = [{"exp": _exp_or_nan}, "numpy"]
_MPMATH = [{f.__name__: sp.lambdify(_X, f.definition(_X), "mpmath") for f in FUNCTIONS}, "mpmath"]
_NUMPY = [{f.__name__: sp.lambdify(_X, f.definition(_X), _GUARDED) for f in FUNCTIONS}, "numpy"]


Step = Callable[[Any, Sequence[Any], Sequence[Any]], tuple[list[Any], list[Any]]]
"""One iteration: (η, constants, parameters) → (columns, parameters of the next iteration)."""


def _compile_step(derivation: Derivation, modules: list[Any], printer: Any, *, sequential: bool = False) -> Step:
    """Compile one iteration in the arithmetic of `modules`.

    The equations are handed to lambdify as its common subexpressions, so that they stay assignments in our order.
    """
    following = {e.name: sp.Symbol(f"next_{e.name}") for e in derivation.updates}
    assignments = [(e.symbol, e.expression) for e in (*derivation.forward, *derivation.gradients)]
    updates = [(following[e.name], e.expression) for e in derivation.updates]
    assignments = _order_sequentially(derivation, assignments, following) if sequential else assignments + updates
    arguments = sp.symbols([LEARNING_RATE, *derivation.constants, *derivation.network.parameters])
    results = [*sp.symbols(derivation.columns), *following.values()]
    settings = {"order": "none", "fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
    compiled = sp.lambdify(
        arguments, results, modules=modules, printer=printer(settings), cse=lambda _: (assignments, results)
    )

    def step(eta: Any, constants: Sequence[Any], parameters: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        numbers = compiled(eta, *constants, *parameters)
        return numbers[: len(derivation.columns)], numbers[len(derivation.columns) :]

    return step


def compile_numpy_step(derivation: Derivation) -> Step:
    """Compile one iteration for arrays: any shape of η, constants and parameters; NaN is Excel's #NUM!."""
    return _compile_step(derivation, _NUMPY, NumPyPrinter)


def _order_sequentially(
    derivation: Derivation, assignments: list[tuple[Any, Any]], following: dict[str, Any]
) -> list[tuple[Any, Any]]:
    """Return the assignments with the output layer's updates before the hidden gradients, which read them."""
    network = derivation.network
    late_layer = {name for neuron in network.layers[-1] for name in (*neuron.weights, neuron.bias)}
    output = [name for name in network.parameters if name in late_layer]
    updates = {e.name: (following[e.name], e.expression) for e in derivation.updates}
    late = {gradient_name(w) for w in updates if w not in output}
    renewed = {sp.Symbol(weight): following[weight] for weight in output}
    first = [pair for pair in assignments if str(pair[0]) not in late]
    hidden = [(symbol, e.xreplace(renewed)) for symbol, e in assignments if str(symbol) in late]
    return [*first, *(updates[w] for w in output), *hidden, *(pair for w, pair in updates.items() if w not in output)]


def _fill_cell_by_cell(
    derivation: Derivation, preset: Preset, learning_rate: float, rows: Floats, weights: Sequence[float]
) -> None:
    """Compute rows that hold errors as a spreadsheet does: a cell is an error if it overflows or uses an error."""
    cells = {name: preset.values[name] for name in derivation.constants}
    cells |= {LEARNING_RATE: learning_rate, **dict(zip(derivation.network.parameters, weights, strict=True))}
    compiled = {e: _compile_cell(e) for e in (*derivation.forward, *derivation.gradients, *derivation.updates)}
    for row in rows:
        for equation in (*derivation.forward, *derivation.gradients):
            cells[equation.name] = compiled[equation](cells)
        row[:] = [cells[name] for name in derivation.columns]
        cells |= {e.name: compiled[e](cells) for e in derivation.updates}
        if all(math.isnan(cells[name]) for name in derivation.network.parameters):
            break
    constant = [derivation.columns.index(name) for name in (*preset.network.targets, *preset.network.inputs)]
    rows[:, constant] = rows[0, constant]


def _compile_cell(equation: Equation) -> Callable[[dict[str, float]], float]:
    """Compile one equation to a function of the cells it reads; NaN stands for Excel's #NUM!."""
    symbols = sorted(equation.expression.free_symbols, key=str)
    function = sp.lambdify(symbols, equation.expression, modules=_MATH)

    def value(cells: dict[str, float]) -> float:
        try:
            result = float(function(*(cells[str(symbol)] for symbol in symbols)))
        except _NO_NUMBER:
            return math.nan
        return result if math.isfinite(result) else math.nan

    return value
