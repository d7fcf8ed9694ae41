"""The assignment's network, layer by layer, and its summary."""

import contextlib
import io
import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torchsummary import summary as print_summary

from mnist.constants import CLASSES, IMAGE_SIZE, PIXEL_MEAN, PIXEL_STD
from mnist.records import LayerFacts

Layer = tuple[str, nn.Module]


class ConvNet(nn.Sequential):
    """Five convolutions, each followed by ReLU and batch normalisation; 15,662 parameters.

    The first three are padded and keep 28 × 28; after the pooling the fourth is not (14 → 12), and the fifth maps
    each position to ten channels, which are averaged over the positions. Source: the model summary in the assignment.
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
                    *_block(5, 32, CLASSES, kernel=1, padding=0),
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


def new_network(seed: int) -> ConvNet:
    """Make a network whose initial weights follow from the seed alone, in the layout that CPUs compute fastest."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: ConvNet = ConvNet().to(memory_format=torch.channels_last)
        return network


def normalise(images: Tensor) -> Tensor:
    """Standardise bytes (N, 28, 28) to float32 (N, 1, 28, 28) of mean about 0 and standard deviation about 1."""
    return images.float().sub_(255 * PIXEL_MEAN).div_(255 * PIXEL_STD).unsqueeze(1)


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def summarise(network: nn.Module) -> str:
    """Describe the network as torchsummary prints it, the tool that the assignment used; ends with a newline.

    Leaves the network in evaluation mode.
    """
    # torchsummary sends random images through, which in training mode would enter the batch statistics.
    network.eval()
    text = io.StringIO()
    with contextlib.redirect_stdout(text), torch.random.fork_rng(devices=[]):
        print_summary(network, (1, IMAGE_SIZE, IMAGE_SIZE), device="cpu")
    return text.getvalue()


def layer_facts(network: nn.Sequential, image_size: int = IMAGE_SIZE) -> tuple[LayerFacts, ...]:
    """Describe each layer from its own attributes and from the shapes that an image takes as it passes.

    Receptive field r and jump j follow r' = r + (kernel - 1)·j, j' = j·stride, from r = j = 1
    (Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016).
    Leaves the network in evaluation mode.
    """
    image = torch.zeros(1, 1, image_size, image_size)
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


def count_multiply_adds(image_size: int) -> int:
    """Count the multiplications of a weight with a value for one image of this size in pixels."""
    return sum(facts.multiply_adds for facts in layer_facts(ConvNet(), image_size))


def _window(layer: nn.Module, input_size: int) -> tuple[int, int, int] | None:
    """Return kernel, stride and padding of a layer with a window; None for an element-wise one."""
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    if isinstance(layer, nn.MaxPool2d):
        return int(layer.kernel_size), int(layer.stride), int(layer.padding)  # type: ignore[arg-type]
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        # One window over the whole input, so the stride has no effect.
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
