"""What the page needs to classify digits by itself, and what it shows where it can't."""

import base64
import io
from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from mnist.records import Evaluation, LayerFacts, Prediction, Weights, WeightTensor
from reports.prose import prose

MOST_MISTAKES = 4
"""How many misclassified images the reader can pick, beside the samples."""
_HEAT_LEVELS = (0.01, 0.05, 0.2, 0.5, 0.9)


@dataclass(frozen=True)
class PickData:
    """What the page's own program needs of a test image."""

    name: str
    pixels: str
    """As in `mnist.records.Prediction`."""


@dataclass(frozen=True)
class DigitData:
    """What the page's own program needs: the network by layers and tensors, and the test images."""

    mean: float
    standard_deviation: float
    epsilon: float
    layers: tuple[LayerFacts, ...]
    tensors: dict[str, WeightTensor]
    picks: tuple[PickData, ...]


@dataclass(frozen=True)
class DigitView:
    """The section “Draw a digit”."""

    picks: tuple[Prediction, ...]
    """Test images that the reader can have classified: the samples of each digit first, then some of the mistakes."""
    mistakes: int
    """How many of the picks are mistakes chosen for being that."""
    maps: int
    """Channels of the first layer."""
    kernel: int
    """Edge of the first layer's window."""
    windows: tuple[tuple[float, ...], ...]
    """The first layer's weights: for each map the window, row by row, then the bias."""
    paper: float
    """What the network gets for a pixel without ink."""
    ink: float
    """What it gets for a pixel full of ink."""
    grounds: int
    """How many maps are above zero where there is nothing but paper."""
    program: DigitData

    @property
    def data(self) -> dict[str, Any]:
        """Convert the program's data to JSON's own types."""
        return asdict(self.program)


def view_digit(evaluation: Evaluation, weights: Weights) -> DigitView:
    """Arrange the samples and the network. Both have been found to fit each other."""
    mistakes = _choose_mistakes(evaluation)
    picks = (*evaluation.samples, *mistakes)
    first = evaluation.layers[0]
    windows, paper = _windows(first, weights), -weights.mean / weights.std
    return DigitView(
        picks=picks,
        mistakes=len(mistakes),
        maps=first.channels,
        kernel=first.kernel or 1,
        windows=windows,
        paper=paper,
        ink=(1 - weights.mean) / weights.std,
        grounds=sum(paper * sum(window[:-1]) + window[-1] > 0 for window in windows),
        program=DigitData(
            mean=weights.mean,
            standard_deviation=weights.std,
            epsilon=weights.epsilon,
            layers=evaluation.layers,
            tensors=weights.tensors,
            picks=tuple(PickData(prose("mnist.test_image", pick), pick.pixels) for pick in picks),
        ),
    )


def heat(probability: float) -> int:
    """Return the colour of a probability: 0 for next to nothing, then rising."""
    return bisect_right(_HEAT_LEVELS, probability)


def _windows(first: LayerFacts, weights: Weights) -> tuple[tuple[float, ...], ...]:
    """Return the first layer's weights, map by map: the window on the image's only channel, then the bias."""
    windows = weights.tensors[f"{first.name}.weight"].numbers().reshape(first.channels, -1)
    biases = weights.tensors[f"{first.name}.bias"].numbers()
    return tuple((*window, bias) for window, bias in zip(windows.tolist(), biases.tolist(), strict=True))


def _choose_mistakes(evaluation: Evaluation) -> tuple[Prediction, ...]:
    """Choose the first mistakes in the order of the test set that are no samples anyway."""
    sampled = {sample.index for sample in evaluation.samples}
    return tuple(wrong for wrong in evaluation.misclassified if wrong.index not in sampled)[:MOST_MISTAKES]


def ink_image(prediction: Prediction) -> str:
    """Return an image's ink as a PNG in a data URI: black of that opacity, so that the page shows through."""
    rows, content = prediction.rows(), io.BytesIO()
    size = len(rows[0]), len(rows)
    ink = Image.frombytes("L", size, b"".join(rows))
    Image.merge("LA", (Image.new("L", size), ink)).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
