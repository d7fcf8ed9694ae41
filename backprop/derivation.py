"""The mathematics, derived once with sympy; every printer, sheet and page reads it from here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from backprop.activations import ACTIVATIONS, ActivationBase, activate, rule_remainder
from backprop.errors import BackpropError
from backprop.network import CROSS_ENTROPY, LEARNING_RATE, MEAN_SQUARED, TOTAL_ERROR, Network, Neuron, gradient_name
from backprop.notation import Partial, factors_of, product, total

Expression = Any  # sympy ships no types
ETA = sp.Symbol(LEARNING_RATE)
_MOST_PROVED = 40
"""Parameters up to which each gradient is verified by itself; a hidden one of 10-20-10 takes seconds."""


@dataclass(frozen=True)
class Equation:
    """One quantity of the sheet: its symbol, an expression in earlier symbols, and its meaning."""

    symbol: Expression
    expression: Expression
    meaning: str

    @property
    def name(self) -> str:
        """The symbol's name, the same in trace, JavaScript and tests."""
        return str(self.symbol)


@dataclass(frozen=True)
class Derivation:
    """Forward pass, gradients and updates of a network, as ordered equations in the sheet's own symbols."""

    network: Network
    forward: tuple[Equation, ...]
    """Net inputs, activations and errors; each uses only symbols before it."""
    gradients: tuple[Equation, ...]
    """One per weight and trained bias: the derivative of the total error, as a product of chain-rule factors."""
    updates: tuple[Equation, ...]
    """One per weight and trained bias: its value in the next iteration."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every quantity of one iteration, in the class sheet's order of columns."""
        network = self.network
        names = [*network.targets, *network.inputs]
        for layer in network.layers:
            names += [weight for neuron in layer for weight in neuron.weights]
            names += [name for neuron in layer for name in (neuron.name, neuron.activation)]
        trained = network.biases if network.trains_biases else ()
        names += [*network.errors, TOTAL_ERROR, *map(gradient_name, network.weights)]
        # Behind the class sheet's columns, so that those stay where they are.
        return (*names, *trained, *map(gradient_name, trained))

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """What stays the same in every iteration of a run: targets, inputs, biases that are not trained."""
        return (*self.network.targets, *self.network.inputs, *self.fixed_biases)

    @cached_property
    def chains(self) -> "Chains":
        """The chain rule over the forward pass."""
        return Chains(self.forward)

    @property
    def fixed_biases(self) -> tuple[str, ...]:
        """The biases that are not trained."""
        return () if self.network.trains_biases else self.network.biases

    def equation(self, name: str) -> Equation:
        """Return the equation that computes a column; an input, a target or a weight has none and raises KeyError."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Equation]:
        return {equation.name: equation for equation in (*self.forward, *self.gradients)}


def derive(network: Network) -> Derivation:
    """Derive everything that one training step of `network` computes."""
    forward = tuple(_forward(network))
    chains = Chains(forward)
    gradients = tuple(
        Equation(
            sp.Symbol(gradient_name(parameter)),
            product(chains.factors(sp.Symbol(parameter))),
            f"how the total error changes with {parameter}",
        )
        for parameter in network.parameters
    )
    updates = tuple(
        Equation(
            sp.Symbol(parameter),
            total((sp.Symbol(parameter), product((-1, ETA, sp.Symbol(gradient_name(parameter)))))),
            f"{parameter} of the next iteration: one step of size η against its gradient",
        )
        for parameter in network.parameters
    )
    return Derivation(network, forward, gradients, updates)


def _forward(network: Network) -> Iterable[Equation]:
    sources = network.inputs
    for layer, name in zip(network.layers, network.activations, strict=True):
        for neuron in layer:
            yield Equation(sp.Symbol(neuron.name), _net_input(neuron, sources), f"net input of neuron {neuron.name}")
            yield Equation(
                sp.Symbol(neuron.activation), activate(name, sp.Symbol(neuron.name)), f"output of neuron {neuron.name}"
            )
        sources = tuple(neuron.activation for neuron in layer)
    for error, target, output in zip(network.errors, network.targets, sources, strict=True):
        expression, meaning = _measure(network, sp.Symbol(target), sp.Symbol(output))
        yield Equation(sp.Symbol(error), expression, meaning)
    yield Equation(sp.Symbol(TOTAL_ERROR), total(map(sp.Symbol, network.errors)), "what training makes small")


def _measure(network: Network, target: Expression, output: Expression) -> tuple[Expression, str]:
    """Return the error of an output, and what it is in words."""
    if network.loss == CROSS_ENTROPY:
        hit = product((target, sp.log(output)))
        miss = product((total((1, -target)), sp.log(total((1, -output)))))
        return product((-1, total((hit, miss)))), f"the cross-entropy of {output} and its target"
    square = sp.Pow(total((target, -output)), 2, evaluate=False)
    if network.loss == MEAN_SQUARED and len(network.targets) != 2:
        share = sp.Rational(1, len(network.targets))
        words = f"the squared error of {output}, divided by the number of outputs"
        return (square, f"the squared error of {output}") if share == 1 else (product((share, square)), words)
    return product((sp.Rational(1, 2), square)), f"half the squared error of {output}"


def _net_input(neuron: Neuron, sources: tuple[str, ...]) -> Expression:
    terms = [product(map(sp.Symbol, pair)) for pair in zip(neuron.weights, sources, strict=True)]
    return total(terms if neuron.bias is None else [*terms, sp.Symbol(neuron.bias)])


def local_derivative(equation: Equation, symbol: Expression) -> Expression:
    """Differentiate one equation by one of the symbols in it, again in the sheet's symbols: da/dh is a·(1 - a)."""
    derivative = sp.diff(equation.expression.doit(), symbol)
    return product(factors_of(derivative.xreplace({equation.expression: equation.symbol})))


class Chains:
    """The chain rule over a forward pass; what is the same for many symbols is computed once."""

    def __init__(self, forward: tuple[Equation, ...]) -> None:
        self._forward = forward
        self._reads = [equation.expression.free_symbols for equation in forward]
        self._leading: dict[Expression, frozenset[Expression]] = {}
        self._factors: dict[tuple[Expression, Expression, bool], tuple[Expression, ...]] = {}

    def factors(
        self, symbol: Expression, of: Expression | None = None, *, named: bool = False
    ) -> tuple[Expression, ...]:
        """Return the chain-rule factors of ∂of/∂symbol (`of` is the total error by default), from the error inwards.

        Where several paths lead from the symbol to the error, the sum over the paths is one factor. With `named`, a
        factor is written as ∂y/∂x instead of being computed. Factors that equal 1 are omitted.
        """
        of = self._forward[-1].symbol if of is None else of
        key = (symbol, of, named)
        if key not in self._factors:
            self._factors[key] = self._find_factors(*key)
        return self._factors[key]

    def _find_factors(self, symbol: Expression, of: Expression, named: bool) -> tuple[Expression, ...]:
        if symbol == of:
            return ()
        paths = []
        for dependent in self.dependents(symbol, of):
            local = factors_of(local_derivative(dependent, symbol))
            last = (Partial(dependent.symbol, symbol),) if named and local else local
            paths.append((*self.factors(dependent.symbol, of, named=named), *last))
        return paths[0] if len(paths) == 1 else (total(map(product, paths)),)

    def dependents(self, symbol: Expression, of: Expression) -> tuple[Equation, ...]:
        """Return the equations that depend directly on `symbol` and lead to `of`."""
        if of not in self._leading:
            needed = {of}
            for equation, read in reversed([*zip(self._forward, self._reads, strict=True)]):
                if equation.symbol in needed:
                    needed |= read
            self._leading[of] = frozenset(needed)
        leading = self._leading[of]
        pairs = zip(self._forward, self._reads, strict=True)
        return tuple(equation for equation, read in pairs if symbol in read and equation.symbol in leading)


def slope_name(above: object, below: object) -> str:
    """Return a name for code of the derivative of one symbol by another in its equation: E1_by_a_o1."""
    return f"{above}_by_{below}"


def slopes(derivation: Derivation) -> dict[str, Expression]:
    """Return all local derivatives (E1_by_a_o1), and the gradients of net inputs, activations and errors (dE_da_h1)."""
    local = {
        slope_name(equation.symbol, part): local_derivative(equation, part)
        for equation in derivation.forward
        for part in sorted(equation.expression.free_symbols, key=str)
    }
    factors = derivation.chains.factors
    nodes = {gradient_name(equation.name): product(factors(equation.symbol)) for equation in derivation.forward}
    return local | nodes


@dataclass(frozen=True)
class Slip:
    """A gradient whose cells in the class sheet differ from its own panel 6."""

    name: str
    taught: Expression
    derived: Expression
    used: str
    """The activation that stands in the class sheet's cell …"""
    meant: str
    """… where this one belongs."""


def slips(derivation: Derivation) -> tuple[Slip, ...]:
    """Return the class sheet's wrong gradients: the second hidden neuron's weights take σ' of the first one.

    Raises BackpropError for a network that the class sheet is not about.
    """
    if len(derivation.network.layers[0]) != 2 or set(derivation.network.activations) != {"sigmoid"}:
        raise BackpropError("only a sigmoid network with two hidden neurons can be computed as taught")
    first, second = derivation.network.layers[0]
    exchange = {sp.Symbol(second.activation): sp.Symbol(first.activation)}
    found = []
    for weight in second.weights:
        derived = derivation.equation(gradient_name(weight)).expression
        # The factors behind the sum over the outputs: a_h2, 1 - a_h2 and the input.
        head, *tail = derived.args
        taught = product((head, *(replace_symbols(factor, exchange) for factor in tail)))
        found.append(Slip(gradient_name(weight), taught, derived, first.activation, second.activation))
    return tuple(found)


def replace_symbols(expression: Expression, replacements: Mapping[Expression, Expression]) -> Expression:
    """Replace symbols without letting sympy reorder the terms."""
    if not expression.args:
        return replacements.get(expression, expression)
    return expression.func(*(replace_symbols(part, replacements) for part in expression.args), evaluate=False)


def as_taught(derivation: Derivation) -> Derivation:
    """Return the derivation with the class sheet's own formulas where its gradients are wrong."""
    taught = {slip.name: slip.taught for slip in slips(derivation)}
    gradients = tuple(replace(g, expression=taught.get(g.name, g.expression)) for g in derivation.gradients)
    return replace(derivation, gradients=gradients)


@dataclass(frozen=True)
class Identity:
    """An identity in words, and the difference of its two sides: 0 where it holds."""

    statement: str
    remainder: Expression

    @property
    def holds(self) -> bool:
        """Whether both sides are the same expression."""
        return bool(self.remainder == 0)


def verify_gradients(derivation: Derivation) -> tuple[Identity, ...]:
    """Compare each product of chain-rule factors with the direct derivative of the composed total error.

    The composed error is one expression in weights, inputs and targets; sympy differentiates it without
    knowing of layers. The activation's own derivative is verified first, from its definition. Of a large network, one
    weight and one bias of each layer are verified: the others differ in their names alone.
    """
    names = dict.fromkeys(derivation.network.activations)
    activations = [ACTIVATIONS[name] for name in names if name in ACTIVATIONS]
    identities = [Identity(_rule(activation), rule_remainder(activation)) for activation in activations]
    composed = _compose(derivation.forward, sp.Symbol(TOTAL_ERROR))
    for parameter in proved_parameters(derivation.network):
        gradient = derivation.equation(gradient_name(parameter))
        direct = sp.diff(composed, sp.Symbol(parameter))
        by_factors = _compose(derivation.forward, gradient.expression)
        # Of cross-entropy, the outputs cancel against the logarithms' derivatives.
        remainder = sp.expand(direct - by_factors) and sp.cancel(direct - by_factors)
        identities.append(Identity(f"{gradient.name}: product of the factors = direct derivative", remainder))
    return tuple(identities)


def proved_parameters(network: Network) -> tuple[str, ...]:
    """Return the weights and biases whose gradients are verified: all, or the first ones of each layer."""
    if len(network.parameters) <= _MOST_PROVED:
        return network.parameters
    firsts = [name for layer in network.layers for name in (layer[0].weights[0], layer[0].bias)]
    return tuple(name for name in firsts if name in network.parameters)


def _rule(activation: type[ActivationBase]) -> str:
    x = sp.Symbol("x")
    derivative = sp.sstr(product(factors_of(activation(x).fdiff())), order="none")
    text = derivative.replace(activation.__name__, activation.sign).replace("*", "·").replace("··", "^")
    return f"d{activation.sign}(x)/dx = {text}"


def _compose(forward: tuple[Equation, ...], expression: Expression) -> Expression:
    """Substitute the forward pass until an expression holds weights, inputs, targets and biases only."""
    for equation in reversed(forward):
        expression = expression.xreplace({equation.symbol: equation.expression})
    return expression.doit()
