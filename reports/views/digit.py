"""What the page needs to classify digits by itself, and what it shows where it can't."""

from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import Any

from mnist.records import Evaluation, LayerFacts, Prediction, Weights, WeightTensor
from reports.architecture import tensor_shapes
from reports.formats import fixed
from reports.png import data_uri, ink_png

MOST_MISTAKES = 4
"""How many misclassified images the reader can pick, beside the samples."""
_HEAT_LEVELS = (0.01, 0.05, 0.2, 0.5, 0.9)


@dataclass(frozen=True)
class Share:
    """How likely the network takes an image to be a digit."""

    percent: str
    heat: int
    """0 for next to nothing, then rising, for the colour."""


@dataclass(frozen=True)
class Pick:
    """A test image that the reader can have classified, and the probabilities that torch found."""

    index: int
    true: int
    predicted: int
    image: str
    """A data URI."""
    shares: tuple[Share, ...]

    @property
    def label(self) -> str:
        """Say in words what the image is."""
        wrong = f", which the network read as {self.predicted}" if self.predicted != self.true else ""
        return f"{'an' if self.true == 8 else 'a'} {self.true}, test image {self.index}{wrong}"


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

    picks: tuple[Pick, ...]
    """The samples of each digit first, then some of the mistakes."""
    mistakes: int
    """How many of the picks are mistakes chosen for being that."""
    maps: int
    """Channels of the first layer."""
    kernel: int
    """Edge of the first layer's window."""
    windows: tuple[tuple[str, ...], ...]
    """The first layer's weights: for each map the window, row by row, then the bias."""
    paper: str
    """What the network gets for a pixel without ink."""
    ink: str
    """What it gets for a pixel full of ink."""
    grounds: int
    """How many maps are above zero where there is nothing but paper."""
    program: DigitData

    @property
    def data(self) -> dict[str, Any]:
        """Give the program's data as JSON's own types."""
        return asdict(self.program)


def view_digit(evaluation: Evaluation, weights: Weights) -> DigitView:
    """Arrange the samples and the network. Both have been found to fit each other."""
    mistakes = _mistakes(evaluation)
    answers = (*evaluation.samples, *mistakes)
    picks = tuple(map(_pick, answers))
    first = evaluation.layers[0]
    windows, paper = _windows(first, weights), -weights.mean / weights.std
    return DigitView(
        picks=picks,
        mistakes=len(mistakes),
        maps=first.channels,
        kernel=first.kernel or 1,
        windows=tuple(tuple(fixed(value, 3) for value in window) for window in windows),
        paper=fixed(paper, 2),
        ink=fixed((1 - weights.mean) / weights.std, 2),
        grounds=sum(paper * sum(window[:-1]) + window[-1] > 0 for window in windows),
        program=DigitData(
            mean=weights.mean,
            standard_deviation=weights.std,
            epsilon=weights.epsilon,
            layers=evaluation.layers,
            tensors={name: weights.tensors[name] for name in tensor_shapes(evaluation.layers)},
            picks=tuple(PickData(p.label, answer.pixels) for p, answer in zip(picks, answers, strict=True)),
        ),
    )


def _windows(first: LayerFacts, weights: Weights) -> list[list[float]]:
    """Give the first layer's weights, map by map: the window on the image's only channel, then the bias."""
    windows = weights.tensors[f"{first.name}.weight"].numbers().reshape(first.channels, -1)
    biases = weights.tensors[f"{first.name}.bias"].numbers()
    return [[*window, bias] for window, bias in zip(windows.tolist(), biases.tolist(), strict=True)]


def _mistakes(evaluation: Evaluation) -> tuple[Prediction, ...]:
    """Choose the first mistakes in the order of the test set that are no samples anyway."""
    sampled = {sample.index for sample in evaluation.samples}
    return tuple(wrong for wrong in evaluation.misclassified if wrong.index not in sampled)[:MOST_MISTAKES]


def _pick(answer: Prediction) -> Pick:
    return Pick(
        answer.index,
        answer.true,
        answer.predicted,
        data_uri(ink_png(answer.rows())),
        tuple(Share(f"{100 * share:.1f}", bisect_right(_HEAT_LEVELS, share)) for share in answer.probabilities),
    )
