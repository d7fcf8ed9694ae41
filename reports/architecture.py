"""Whether the exported weights are the network that the evaluation describes, layer by layer."""

import math
from collections.abc import Sequence

import numpy as np

from mnist.constants import IMAGE_SIZE
from mnist.records import LayerFacts, Weights, WeightTensor

DIGITS = 10
Shapes = dict[str, tuple[int, ...]]
_NORM = ("weight", "bias", "running_mean", "running_var")


def network_problem(weights: Weights, layers: Sequence[LayerFacts]) -> str | None:
    """Say in a few words what keeps these weights from being these layers; None where they are a whole network."""
    if not _is_positive(weights.std) or not _is_positive(weights.epsilon) or not math.isfinite(weights.mean):
        return "impossible constants"
    if not _fit_each_other(layers):
        return "its layers do not follow from each other"
    for name, shape in tensor_shapes(layers).items():
        tensor = weights.tensors.get(name)
        if tensor is None:
            return f"no tensor {name}"
        if not _holds(tensor, shape, least=0.0 if name.endswith("running_var") else -math.inf):
            return f"{name} is not {' × '.join(map(str, shape))} finite numbers"
    return None


def tensor_shapes(layers: Sequence[LayerFacts]) -> Shapes:
    """Name the tensors that the layers compute with, and their shapes as torch has them: (out, in, height, width)."""
    shapes: Shapes = {}
    channels = 1
    for layer in layers:
        if layer.kind == "Conv2d":
            edge = layer.kernel or 0
            shapes |= {f"{layer.name}.weight": (layer.channels, channels, edge, edge)}
            shapes |= {f"{layer.name}.bias": (layer.channels,)}
        elif layer.kind == "BatchNorm2d":
            shapes |= {f"{layer.name}.{part}": (layer.channels,) for part in _NORM}
        channels = layer.channels
    return shapes


def _fit_each_other(layers: Sequence[LayerFacts]) -> bool:
    """Tell whether the layers lead from one image of 28 × 28 to ten numbers, by kinds that the page can compute."""
    channels, size = 1, IMAGE_SIZE
    for layer in layers:
        if layer.kind != "Conv2d" and layer.channels != channels:
            return False
        if _output_size(layer, size) != layer.size or layer.size < 1 or layer.channels < 1:
            return False
        channels, size = layer.channels, layer.size
    return (channels, size) == (DIGITS, 1)


def _output_size(layer: LayerFacts, size: int) -> int | None:
    """Compute a layer's edge from the edge that comes in; None for a kind unknown to the page's own network."""
    if layer.kind in ("Conv2d", "MaxPool2d"):
        if not layer.kernel or not layer.stride or layer.padding is None or layer.padding < 0:
            return None
        return (size + 2 * layer.padding - layer.kernel) // layer.stride + 1
    return {"ReLU": size, "BatchNorm2d": size, "AdaptiveAvgPool2d": 1}.get(layer.kind)


def _holds(tensor: WeightTensor, shape: tuple[int, ...], least: float) -> bool:
    try:
        values = tensor.numbers()
    except ValueError:
        return False
    return values.shape == shape and bool(np.isfinite(values).all() and (values >= least).all())


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0
