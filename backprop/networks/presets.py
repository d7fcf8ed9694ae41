"""Networks read from their files into frozen dataclasses, and the shipped ones ready to use."""

import math
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from backprop.errors import BackpropError
from backprop.network import (
    ACTIVATION_NAMES,
    CROSS_ENTROPY,
    HALF_SQUARED,
    LOSS_NAMES,
    SHEET_ITERATIONS,
    Network,
    Preset,
    build_network,
)
from backprop.networks import list_networks, read_text

_LAYERS, _NEURONS, _ITERATIONS = (3, 7), (1, 50), (1, 10_000_000)
_BYTES, _DECIMALS = 1_000_000, 4


@dataclass(frozen=True)
class _NetworkTable:
    layers: list[int]
    activations: str | list[str] = "sigmoid"
    loss: str = HALF_SQUARED
    biases: Literal["none", "per neuron", "per layer"] = "none"
    train_biases: bool = True


@dataclass(frozen=True)
class _Sample:
    inputs: list[float]
    targets: list[float]


@dataclass(frozen=True)
class _Init:
    low: float
    high: float
    seed: int = 1


@dataclass(frozen=True)
class _Training:
    learning_rate: float
    iterations: int = SHEET_ITERATIONS


@dataclass(frozen=True)
class _File:
    network: _NetworkTable
    samples: list[_Sample]
    training: _Training
    title: str = "a network of your own"
    start: dict[str, float | _Init] = field(default_factory=dict)


@cache
def load_network(source: str) -> Preset:
    """Read a shipped network by its name, or any by the path of its file. Raises BackpropError."""
    if source in list_networks():
        return parse_network(read_text(source), source, source)
    path = Path(source)
    if path.suffix.lower() != ".toml":
        known = ", ".join(list_networks())
        raise BackpropError(f"{source[:80]!r} is no network: give the path of a .toml file, or one of {known}")
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
        if len(content) > _BYTES:
            raise BackpropError(f"{path} is larger than {_BYTES:,} bytes: no network needs that")
        return parse_network(content.decode("utf-8-sig"), str(path), path.name)
    except OSError as error:
        raise BackpropError(f"{path} can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BackpropError(f"{path} is no UTF-8 text: save it as UTF-8") from error


def parse_network(text: str, source: str, name: str) -> Preset:
    """Read a network's file; `source` is what errors call it. Raises BackpropError in one line."""
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BackpropError(f"{source} is no TOML: {error}") from error
    try:
        _refuse_unknown(content, _File, "")
        return _build(msgspec.convert(content, _File), name)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise BackpropError(f"{source}: {_name_place(where)}{what.replace('`', '')}") from error
    except _WrongError as error:
        raise BackpropError(f"{source}: {error}") from error


class _WrongError(Exception):
    """What is wrong in a file, with its key."""


def _name_place(where: str) -> str:
    place = where.strip("`").removeprefix("$").removeprefix(".")
    return f"{place}: " if place else ""


def _refuse_unknown(content: Any, kind: Any, where: str) -> None:
    """Raise _WrongError for a key that no table has, with the nearest one that there is."""
    if isinstance(content, list):
        for element in content:
            _refuse_unknown(element, kind, where)
    if not isinstance(content, dict):
        return
    hints = get_type_hints(kind)
    for key, value in content.items():
        if key not in hints:
            near = get_close_matches(key, hints, 1) or [", ".join(hints)]
            raise _WrongError(f"{where}{key} is unknown: did you mean {near[0]}?")
        inner = next((k for k in (hints[key], *get_args(hints[key])) if is_dataclass(k)), None)
        if inner is not None:
            _refuse_unknown(value, inner, f"{where}{key}.")


def _build(file: _File, name: str) -> Preset:
    network = _build_network(file.network)
    if len(file.samples) != 1:
        raise _WrongError(f"samples: {len(file.samples)} of them; a network has one, [[samples]] inputs and targets")
    (sample,) = file.samples
    values = {
        **_pair("samples.targets", network.targets, sample.targets),
        **_pair("samples.inputs", network.inputs, sample.inputs),
        **_start(file.start, network),
    }
    for key, value in {**values, "training.learning_rate": file.training.learning_rate}.items():
        if not math.isfinite(value):
            raise _WrongError(f"{key} is {value}: give a finite number")
    if file.training.learning_rate <= 0:
        raise _WrongError(f"training.learning_rate is {file.training.learning_rate}: give a number above 0")
    _check_range("training.iterations", file.training.iterations, _ITERATIONS)
    title = " ".join(file.title.split())
    return Preset(name, title, network, MappingProxyType(values), file.training.learning_rate, file.training.iterations)


def _build_network(table: _NetworkTable) -> Network:
    if not _LAYERS[0] <= len(table.layers) <= _LAYERS[1]:
        raise _WrongError(f"network.layers has {len(table.layers)} sizes: give {_LAYERS[0]} to {_LAYERS[1]}")
    for size in table.layers:
        _check_range("network.layers", size, _NEURONS)
    behind = len(table.layers) - 1
    activations = [table.activations] * behind if isinstance(table.activations, str) else table.activations
    if len(activations) != behind:
        raise _WrongError(
            f"network.activations has {len(activations)} names: give one, or {behind}, one for each layer"
        )
    for activation in activations:
        if activation not in ACTIVATION_NAMES:
            allowed = ", ".join(ACTIVATION_NAMES)
            raise _WrongError(f"network.activations: {activation[:40]!r} is none of {allowed}")
    if table.loss not in LOSS_NAMES:
        raise _WrongError(f"network.loss: {table.loss[:40]!r} is none of {', '.join(LOSS_NAMES)}")
    if table.loss == CROSS_ENTROPY and activations[-1] != "sigmoid":
        raise _WrongError(f"network.loss: {CROSS_ENTROPY} needs sigmoid in the last layer, which has {activations[-1]}")
    return build_network(
        table.layers, activations, loss=table.loss, biases=table.biases, trains_biases=table.train_biases
    )


def _check_range(key: str, number: int, limits: tuple[int, int]) -> None:
    if not limits[0] <= number <= limits[1]:
        raise _WrongError(f"{key}: {number} is not in {limits[0]} to {limits[1]:,}")


def _pair(key: str, names: tuple[str, ...], numbers: list[float]) -> Mapping[str, float]:
    if len(names) != len(numbers):
        raise _WrongError(f"{key} has {len(numbers)} numbers, and the network {len(names)} of them: {', '.join(names)}")
    return dict(zip(names, map(float, numbers), strict=True))


def _start(start: Mapping[str, float | _Init], network: Network) -> dict[str, float]:
    """Return the weights and biases that training starts from: as named, the rest drawn."""
    names = (*network.weights, *network.biases)
    for key, given in start.items():
        if key != "init" and (key not in names or isinstance(given, _Init)):
            near = get_close_matches(key, names, 1) or [f"{names[0]} to {names[-1]}"]
            raise _WrongError(f"start.{key} is no weight or bias of this network: did you mean {near[0]}?")
    init = start.get("init")
    if isinstance(init, float):
        raise _WrongError("start.init: give { low = 0.1, high = 0.6, seed = 1 }")
    missing = [name for name in names if name not in start]
    if missing and init is None:
        raise _WrongError(
            f"start has no {', '.join(missing[:5])}: name each, or give init = {{ low = 0.1, high = 0.6 }}"
        )
    drawn = {}
    if init is not None:
        numbers = random.Random(init.seed)
        drawn = {name: round(numbers.uniform(init.low, init.high), _DECIMALS) for name in names}
    return {name: value if isinstance(value := start.get(name), float) else drawn[name] for name in names}


PRESETS: Mapping[str, Preset] = MappingProxyType({name: load_network(name) for name in list_networks()})
"""The shipped networks by name."""
