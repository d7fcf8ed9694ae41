"""Part 1, derived and simulated once: what all of its views, drawings and printers read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from backprop.derivation import (
    Derivation,
    Identity,
    Slip,
    as_taught,
    chain_factors,
    derive,
    slips,
    slopes,
    verify_gradients,
)
from backprop.network import PRESETS, SHEET_ITERATIONS, SHEET_LEARNING_RATES, Network, Preset
from backprop.notation import product
from backprop.panels import Panel, panels
from backprop.simulate import Floats, Trace, simulate, simulate_errors

SEARCHED_ITERATIONS = 2000
"""How far to look for the iteration at which the error has halved."""
MAZUR_ITERATIONS = 10_001


@dataclass(frozen=True)
class Gradient:
    """∂E_total/∂x as a product of chain-rule factors."""

    named: Any
    """By the signs of the factors, ∂y/∂x …"""
    computed: Any
    """… and by what they equal."""


@dataclass(frozen=True)
class Part1:
    """A network's equations and its runs; expressions are sympy's."""

    preset: Preset
    learning_rate: float
    derivation: Derivation
    panels: tuple[Panel, ...]
    proofs: tuple[Identity, ...]
    slips: tuple[Slip, ...]
    gradients: Mapping[str, Gradient]
    """Of the total error, by every weight, net input, activation and error."""
    contributions: Mapping[tuple[str, str], Any]
    """Of each error by each hidden activation: ∂E1/∂a_h1 under ("E1", "a_h1")."""
    slopes: Mapping[str, Any]
    """Every local derivative, and the gradient of every net input, activation and error."""
    trace: Trace
    as_taught: Trace
    """The same run with the class sheet's own slips."""
    learning_rates: tuple[float, ...]
    errors: Floats
    """E_total, shape (learning rates, iterations searched); NaN from an overflow on."""
    mazur: tuple[Trace, Trace]
    """Mazur's example, updated simultaneously and sequentially."""


def compute_part1(preset: Preset, learning_rate: float) -> Part1:
    """Derive and simulate everything. Raises BackpropError for a learning rate that makes no run."""
    derivation = derive(preset.network)
    rates = tuple(sorted({*SHEET_LEARNING_RATES, learning_rate}))
    return Part1(
        preset=preset,
        learning_rate=learning_rate,
        derivation=derivation,
        panels=panels(derivation),
        proofs=verify_gradients(derivation),
        slips=slips(derivation),
        gradients=_gradients(derivation),
        contributions=_contributions(derivation),
        slopes=slopes(derivation),
        trace=simulate(derivation, preset, learning_rate, SHEET_ITERATIONS),
        as_taught=simulate(as_taught(derivation), preset, learning_rate, SHEET_ITERATIONS),
        learning_rates=rates,
        errors=simulate_errors(derivation, preset, rates, SEARCHED_ITERATIONS),
        mazur=_simulate_mazur(),
    )


def _gradients(derivation: Derivation) -> dict[str, Gradient]:
    names = (*(e.name for e in derivation.forward), *derivation.network.parameters)
    return {
        name: Gradient(
            product(chain_factors(derivation.forward, sp.Symbol(name), named=True)),
            product(chain_factors(derivation.forward, sp.Symbol(name))),
        )
        for name in names
    }


def _contributions(derivation: Derivation) -> dict[tuple[str, str], Any]:
    return {
        (error, activation): product(chain_factors(derivation.forward, sp.Symbol(activation), sp.Symbol(error)))
        for activation in _hidden_activations(derivation.network)
        for error in derivation.network.errors
    }


def _hidden_activations(network: Network) -> Iterable[str]:
    return (neuron.activation for neuron in network.layers[0])


def _simulate_mazur() -> tuple[Trace, Trace]:
    preset = PRESETS["mazur"]
    derivation, rate = derive(preset.network), preset.learning_rate
    return (
        simulate(derivation, preset, rate, MAZUR_ITERATIONS),
        simulate(derivation, preset, rate, MAZUR_ITERATIONS, sequential=True),
    )
