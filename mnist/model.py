"""The assignment's network, layer for layer, and what can be told about it without training."""

import contextlib
import io
import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torchsummary import summary as print_summary

from mnist.recipe import FULL_SIZE
from mnist.results import LayerFacts

DIGITS = 10
# Mean and standard deviation of the 60,000 training images' pixels, as fractions of 255; the usual four digits.
MEAN, DEVIATION = 0.1307, 0.3081

Layer = tuple[str, nn.Module]


class Network(nn.Sequential):
    """Five convolutions, each followed by ReLU and batch normalisation; 15,662 parameters.

    The first three are padded and keep 28 × 28; after the pooling the fourth is not (14 → 12), and the fifth maps
    each place to ten channels, which are averaged over the places. Source: the model summary in the assignment.
    """

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                [
                    *_block(1, 1, 8, kernel=3, padding=1),
                    *_block(2, 8, 16, kernel=3, padding=1),
                    *_block(3, 16, 32, kernel=3, padding=1),
                    ("pool", nn.MaxPool2d(2)),
                    *_block(4, 32, 32, kernel=3, padding=0),
                    *_block(5, 32, DIGITS, kernel=1, padding=0),
                    ("average", nn.AdaptiveAvgPool2d(1)),
                ]
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (N, 1, 28, 28) to logits (N, 10), whose softmax is the probability of each digit."""
        result: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return result.flatten(1)


def _block(number: int, inputs: int, outputs: int, kernel: int, padding: int) -> list[Layer]:
    return [
        (f"conv{number}", nn.Conv2d(inputs, outputs, kernel, padding=padding)),
        (f"relu{number}", nn.ReLU()),
        (f"norm{number}", nn.BatchNorm2d(outputs)),
    ]


def new_network(seed: int) -> Network:
    """Make a network whose initial weights follow from the seed alone, in the layout that CPUs compute fastest."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network().to(memory_format=torch.channels_last)


def normalise(images: Tensor) -> Tensor:
    """Turn bytes (N, 28, 28) into the network's input: float32 (N, 1, 28, 28) of mean about 0, deviation about 1."""
    return images.float().sub_(255 * MEAN).div_(255 * DEVIATION).unsqueeze(1)


def count_parameters(network: nn.Module) -> int:
    """Count the trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def summarise(network: nn.Module) -> str:
    """Describe the network as torchsummary prints it, the tool that the assignment used; ends with a newline.

    Leaves the network in evaluation mode.
    """
    # torchsummary sends random images through, which in training mode would enter the batch statistics.
    network.eval()
    text = io.StringIO()
    with contextlib.redirect_stdout(text), torch.random.fork_rng(devices=[]):
        print_summary(network, (1, FULL_SIZE, FULL_SIZE), device="cpu")
    return text.getvalue()


def layer_facts(network: nn.Sequential, edge: int = FULL_SIZE) -> tuple[LayerFacts, ...]:
    """Describe each layer from its own attributes and from the shapes that an image takes on its way.

    Receptive field r and jump j follow r' = r + (kernel - 1)·j, j' = j·stride, from r = j = 1
    (Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016).
    Leaves the network in evaluation mode.
    """
    image = torch.zeros(1, 1, edge, edge)
    receptive_field = jump = 1
    facts = []
    for name, layer in network.eval().named_children():
        with torch.no_grad():
            result = layer(image)
        window = _window(layer, image.shape[-1])
        if window:
            kernel, stride, _ = window
            receptive_field, jump = receptive_field + (kernel - 1) * jump, jump * stride
        facts.append(_facts(name, layer, window, result, receptive_field, jump))
        image = result
    return tuple(facts)


def multiply_adds(edge: int) -> int:
    """Count the multiplications of a weight with a value for one image of this edge in pixels."""
    return sum(facts.multiply_adds for facts in layer_facts(Network(), edge))


def _window(layer: nn.Module, input_size: int) -> tuple[int, int, int] | None:
    """Give kernel, stride and padding of a layer that looks at more than single values."""
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    if isinstance(layer, nn.MaxPool2d):
        return int(layer.kernel_size), int(layer.stride), int(layer.padding)  # type: ignore[arg-type]
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        # Averages everything that comes in: one window, so the stride has no second place to go to.
        return input_size, 1, 0
    return None


def _facts(
    name: str, layer: nn.Module, window: tuple[int, int, int] | None, result: Tensor, receptive_field: int, jump: int
) -> LayerFacts:
    kernel, stride, padding = window or (None, None, None)
    products = layer.weight[0].numel() * result[0].numel() if isinstance(layer, nn.Conv2d) else 0
    return LayerFacts(
        name=name,
        kind=type(layer).__name__,
        kernel=kernel,
        stride=stride,
        padding=padding,
        channels=result.shape[1],
        size=math.isqrt(result[0, 0].numel()),
        receptive_field=receptive_field,
        jump=jump,
        parameters=count_parameters(layer),
        multiply_adds=products,
    )
