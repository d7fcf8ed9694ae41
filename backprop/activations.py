"""The activation functions, each kept as a function of its own so that its derivative reads in terms of its output."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sympy as sp

from backprop.network import ACTIVATION_NAMES

_LEAK = sp.Rational(1, 100)


class ActivationBase(sp.Function):
    """A function of one net input; `sign` is how it is written on paper.

    sympy's printers look at a base class of functions only if its name ends in Base.
    """

    nargs = 1
    sign = ""

    @staticmethod
    def definition(x: Any) -> Any:
        """Return the function of x in sympy's own functions."""
        raise NotImplementedError


class sigma(ActivationBase):  # noqa: N801 - printed by its name
    """The logistic function σ."""

    sign = "σ"

    def fdiff(self, argindex: int = 1) -> Any:
        """Differentiate: σ' = σ·(1 - σ)."""
        return self * (1 - self)

    @staticmethod
    def definition(x: Any) -> Any:
        """Return 1/(1 + exp(-x)), in this order."""
        return sp.Pow(sp.Add(1, sp.exp(-x), evaluate=False), -1, evaluate=False)


class Tanh(ActivationBase):
    """The hyperbolic tangent."""

    sign = "tanh"

    def fdiff(self, argindex: int = 1) -> Any:
        """Differentiate: tanh' = 1 - tanh²."""
        return 1 - self**2

    @staticmethod
    def definition(x: Any) -> Any:
        """Return sympy's own tanh."""
        return sp.tanh(x)


class ReLU(ActivationBase):
    """The rectifier max(0, x); its derivative at 0 is taken as 0, as torch does."""

    sign = "ReLU"

    def fdiff(self, argindex: int = 1) -> Any:
        """Differentiate: 1 where the output is positive, 0 elsewhere."""
        return Positive(self)

    @staticmethod
    def definition(x: Any) -> Any:
        """Return max(0, x)."""
        return sp.Max(0, x)


class LeakyReLU(ActivationBase):
    """The rectifier with a slope of 0.01 below 0; its derivative at 0 is taken as 0.01, as torch does."""

    sign = "LeakyReLU"

    def fdiff(self, argindex: int = 1) -> Any:
        """Differentiate: 1 where the output is positive, 0.01 elsewhere."""
        return _LEAK + (1 - _LEAK) * Positive(self)

    @staticmethod
    def definition(x: Any) -> Any:
        """Return max(0.01·x, x)."""
        return sp.Max(_LEAK * x, x)


class Positive(sp.Function):
    """Iverson's bracket [x > 0]: 1 or 0."""

    nargs = 1

    @staticmethod
    def definition(x: Any) -> Any:
        """Return the case distinction."""
        return sp.Piecewise((1, x > 0), (0, True))


FUNCTIONS: tuple[Any, ...] = (sigma, Tanh, ReLU, LeakyReLU, Positive)
"""The functions that an equation may hold beside sympy's own."""

ACTIVATIONS: Mapping[str, type[ActivationBase]] = MappingProxyType(
    dict(zip(ACTIVATION_NAMES, (sigma, Tanh, ReLU, LeakyReLU), strict=False))
)
"""By the name in a network's file; a linear neuron's output is its net input, which needs no function."""


def activate(name: str, x: Any) -> Any:
    """Return the output of a neuron with a net input."""
    return ACTIVATIONS[name](x) if name in ACTIVATIONS else x


def expand_functions(expression: Any) -> Any:
    """Return an expression with our functions replaced by their definitions, which sympy can evaluate."""
    for function in FUNCTIONS:
        expression = expression.replace(function, function.definition)
    return expression.doit()


def rule_remainder(activation: type[ActivationBase]) -> Any:
    """Return the difference of our derivative and sympy's of the definition, left and right of 0; 0 if they agree."""
    remainder = sp.Integer(0)
    for x in (sp.Symbol("x", positive=True), sp.Symbol("x", negative=True)):
        ours = expand_functions(activation(x).fdiff())
        remainder += abs(sp.simplify(sp.diff(activation.definition(x).doit(), x) - ours))
    return remainder
