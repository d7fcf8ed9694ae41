"""A run and its evaluation as training would have recorded them, without training."""

import base64
import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from agreement import REFERENCE

from backprop.crosscheck.report import CrossCheck, Pair
from backprop.networks.presets import PRESETS
from backprop.records import write_record
from backprop.sheet.record import WorkbookRecord, sha256, write_workbook
from mnist.bench import Benchmarks, EpochCost, EpochCosts, Race, Races
from mnist.plan import TrainingPlan
from mnist.recipe import RECIPES
from mnist.records import (
    EpochRecord,
    Evaluation,
    Hardware,
    History,
    LayerFacts,
    Prediction,
    Versions,
    Weights,
    WeightTensor,
)
from mnist.study import Study, make_study
from reports.inputs import Inputs, Workbook

PROOF = CrossCheck(
    seed=3,
    cases=7,
    iterations=10,
    numbers=2170,
    pairs=(
        Pair("sympy, 50 digits", "NumPy", 3.2e-16, "w5, iteration 9, case 2"),
        Pair("sympy, 50 digits", "torch", 2e-9, "<b>dE_dw1</b>, iteration 0, case 1"),
        Pair("NumPy", "torch", None, "a_o1, iteration 4, case 6"),
    ),
    missing=("LibreOffice (needs <i>soffice</i>)",),
)
HOSTILE = '"><script>alert(1)</script>'
CHECKPOINT = b"not a real checkpoint: the page only compares its hash"
MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MISTAKES = {
    (4, 9): 7,
    (9, 4): 5,
    (7, 2): 6,
    (3, 5): 4,
    (5, 3): 4,
    (6, 0): 5,
    (8, 3): 3,
    (2, 7): 4,
    (1, 7): 2,
    (0, 6): 2,
}
_NORM = ("weight", "bias", "running_mean", "running_var")
_TOTALS = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
_WINDOWS = (
    ("conv1", "Conv2d", 3, 1, 1, 8, 28, 3, 1, 80, 56448),
    ("relu1", "ReLU", None, None, None, 8, 28, 3, 1, 0, 0),
    ("norm1", "BatchNorm2d", None, None, None, 8, 28, 3, 1, 16, 0),
    ("conv2", "Conv2d", 3, 1, 1, 16, 28, 5, 1, 1168, 903168),
    ("relu2", "ReLU", None, None, None, 16, 28, 5, 1, 0, 0),
    ("norm2", "BatchNorm2d", None, None, None, 16, 28, 5, 1, 32, 0),
    ("conv3", "Conv2d", 3, 1, 1, 32, 28, 7, 1, 4640, 3612672),
    ("relu3", "ReLU", None, None, None, 32, 28, 7, 1, 0, 0),
    ("norm3", "BatchNorm2d", None, None, None, 32, 28, 7, 1, 64, 0),
    ("pool", "MaxPool2d", 2, 2, 0, 32, 14, 8, 2, 0, 0),
    ("conv4", "Conv2d", 3, 1, 0, 32, 12, 12, 2, 9248, 1327104),
    ("relu4", "ReLU", None, None, None, 32, 12, 12, 2, 0, 0),
    ("norm4", "BatchNorm2d", None, None, None, 32, 12, 12, 2, 64, 0),
    ("conv5", "Conv2d", 1, 1, 0, 10, 12, 12, 2, 330, 46080),
    ("relu5", "ReLU", None, None, None, 10, 12, 12, 2, 0, 0),
    ("norm5", "BatchNorm2d", None, None, None, 10, 12, 12, 2, 20, 0),
    ("average", "AdaptiveAvgPool2d", 12, 1, 0, 10, 1, 34, 2, 0, 0),
)


def epoch(number: int, of: int) -> EpochRecord:
    """Make an epoch of a run that ends with a test accuracy of 99.58 %."""
    wrong = 0.0042 + 0.016 / number**1.5 * (1 - number / of) + (0.016 if of == 1 else 0)
    right = round((1 - wrong) * 10_000) / 10_000
    plan = TrainingPlan(replace(RECIPES["accurate"], epochs=of), 60_000)
    return EpochRecord(
        epoch=number,
        images=plan.images_in(number),
        learning_rate=plan.learning_rate_at(plan.ends[number - 1] - 1),
        train_loss=0.02 + 0.4 / number**1.4,
        train_accuracy=1 - 0.0065 - 0.07 / number**1.4,
        test_loss=0.014 + 0.05 / number**1.2,
        test_accuracy=right,
        seconds=21.5,
        averaged=number > of / 2,
    )


def history(epochs: int = 15) -> History:
    """Make a finished run."""
    return History(
        recipe_name="accurate",
        recipe=replace(RECIPES["accurate"], epochs=epochs),
        seed=0,
        measured_on="test",
        versions=Versions("3.11.2", "2.9.0", "0.24.0", "2.4.6"),
        hardware=Hardware("A processor", 2, 2, 1, "cpu", "Linux", "float32"),
        data=MD5,
        epochs=tuple(epoch(number, epochs) for number in range(1, epochs + 1)),
    )


def workbook(preset: str = "class", learning_rate: float = 1.0) -> Workbook:
    """Return a workbook of which the page knows no more than its record."""
    return Workbook(Path("backprop.xlsx"), PRESETS[preset], learning_rate)


def write_stand_in(folder: Path, preset: str = "class", **changes: Any) -> None:
    """Write a workbook that no program could open, and the record that belongs to it."""
    content, chosen = b"not a workbook", PRESETS[preset]
    values = dict(chosen.values)
    record = WorkbookRecord(preset, chosen.network, values, chosen.learning_rate, 68, False, "0.1.0", sha256(content))
    write_workbook(folder / "backprop.xlsx", content, replace(record, **changes))


def inputs(epochs: int = 15, **changes: Any) -> Inputs:
    """Make what a page can't be without: a run that was evaluated; with whatever else is given by name."""
    return replace(Inputs(history(epochs), evaluation(epochs), weights(), workbook(), None), **changes)


def all_inputs() -> Inputs:
    """Make all that a page can tell of: the run, and what was proved, repeated and measured besides."""
    return inputs(proof=PROOF, studies=studies(), measured=measured())


def evaluation(epochs: int = 15) -> Evaluation:
    """Make the evaluation that belongs to the run: 42 mistakes, or 202 after one epoch only."""
    mistakes = {
        pair: count * (5 if epochs == 1 else 1) - (epochs == 1) * 8 * (pair == (4, 9))
        for pair, count in MISTAKES.items()
    }
    return _evaluation(epochs, mistakes, samples())


def flawless_evaluation() -> Evaluation:
    """Make the evaluation of a network without mistakes."""
    return _evaluation(15, {}, tuple(_sample(digit, digit) for digit in range(10)))


def _evaluation(epochs: int, mistakes: dict[tuple[int, int], int], shown: tuple[Prediction, ...]) -> Evaluation:
    confusion = tuple(
        tuple(
            mistakes.get((row, column), 0)
            if row != column
            else _TOTALS[row] - sum(count for (true, _), count in mistakes.items() if true == row)
            for column in range(10)
        )
        for row in range(10)
    )
    wrong = sum(mistakes.values())
    return Evaluation(
        checkpoint_sha256=hashlib.sha256(CHECKPOINT).hexdigest(),
        epoch=epochs,
        images=10_000,
        correct=10_000 - wrong,
        accuracy=(10_000 - wrong) / 10_000,
        loss=0.0157,
        parameters=15_662,
        confusion=confusion,
        misclassified=tuple(misclassified(mistakes)),
        samples=shown,
        layers=tuple(LayerFacts(*window) for window in _WINDOWS),
        data=MD5,
        summary=(REFERENCE / "model-summary.txt").read_text(encoding="utf-8"),
    )


def misclassified(mistakes: dict[tuple[int, int], int]) -> list[Prediction]:
    """Make one image for each mistake: a slanted stroke that differs from image to image."""
    made = []
    for (true, predicted), count in mistakes.items():
        for number in range(count):
            sure = 0.5 + 0.49 * (number + 1) / (count + 1)
            probabilities = [0.0] * 10
            probabilities[predicted], probabilities[true] = sure, 1 - sure
            index = 100 * true + 10 * predicted + number
            made.append(Prediction(index, true, predicted, tuple(probabilities), _stroke(true, number)))
    return made


def samples() -> tuple[Prediction, ...]:
    """Make one sample of each digit; the 8 is one of the mistakes."""
    return tuple(_sample(digit, 3 if digit == 8 else digit) for digit in range(10))


def _sample(digit: int, predicted: int) -> Prediction:
    shares = [0.001] * 10
    shares[predicted] = 0.991
    return Prediction(100 * digit + 10 * predicted, digit, predicted, tuple(shares), _stroke(digit, 0))


def weights() -> Weights:
    """Make random weights of the size that training starts with, and running statistics that do something."""
    generator = np.random.default_rng(7)
    tensors = {}
    for name, shape in _shapes():
        values = generator.normal(0, 1 / math.sqrt(max(math.prod(shape[1:]), 4)), shape)
        values += name.endswith(("norm.weight", "running_var"))
        content = np.abs(values) if name.endswith("running_var") else values
        tensors[name] = WeightTensor(shape, base64.b64encode(content.astype("<f4").tobytes()).decode())
    return Weights(hashlib.sha256(CHECKPOINT).hexdigest(), 0.1307, 0.3081, 1e-5, tensors)


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name the tensors of the layers with their shapes as torch has them: (out, in, height, width)."""
    channels = 1
    for layer in evaluation().layers:
        if layer.kind == "Conv2d":
            yield f"{layer.name}.weight", (layer.channels, channels, layer.kernel or 0, layer.kernel or 0)
            yield f"{layer.name}.bias", (layer.channels,)
        elif layer.kind == "BatchNorm2d":
            yield from ((f"{layer.name}.{part}", (layer.channels,)) for part in _NORM)
        channels = layer.channels


def _stroke(slant: int, shift: int) -> str:
    pixels = bytearray(784)
    for row in range(5, 23):
        for width in range(3):
            pixels[row * 28 + 8 + shift % 6 + row * slant // 28 + width] = 255 - 60 * abs(width - 1)
    return base64.b64encode(bytes(pixels)).decode()


def measured() -> Benchmarks:
    """Make what a benchmark leaves."""
    run = history()
    costs = (
        EpochCost("course", 45.0, 60_000, 28, "float32", 2.1e12, 1.7e11),
        EpochCost("fast, 28 × 28 pixels", 20.0, 60_000, 28, "bfloat16", 2.1e12, 4e11),
    )
    races = (Race("course", 765.0, 17, 0.9941), Race("fast", 61.2, 8, 0.9943))
    return Benchmarks(EpochCosts(run.versions, run.hardware, costs), Races(run.versions, run.hardware, races))


def studies() -> tuple[Study, ...]:
    """Make the study of two recipes, one of which misses the goal at times."""
    accuracies = {"accurate": (0.9951, 0.9955, 0.9949, 0.9951), "fast": (0.9941, 0.9946, 0.9938, 0.9941)}
    made = []
    for name, values in accuracies.items():
        runs = []
        for seed, accuracy in enumerate(values):
            run = history(8)
            last = replace(run.epochs[-1], test_accuracy=accuracy)
            short = tuple(replace(record, test_accuracy=0.99) for record in run.epochs[:-1])
            runs.append(replace(run, recipe_name=name, recipe=RECIPES[name], seed=seed, epochs=(*short, last)))
        made.append(make_study(runs))
    return tuple(made)


def write_weights_that_fit(output: Path) -> None:
    """Add the weights of an untrained network, and let the recorded mistakes be those that it makes."""
    import torch

    from mnist.evaluation import export_weights
    from mnist.model import new_network, normalise

    network, found = new_network(0).eval(), evaluation()
    images = torch.tensor([list(base64.b64decode(wrong.pixels)) for wrong in found.misclassified], dtype=torch.uint8)
    with torch.no_grad():
        probabilities = network(normalise(images.reshape(-1, 28, 28))).softmax(1)
    mistakes = tuple(
        replace(wrong, predicted=int(row.argmax()), probabilities=tuple(row.tolist()))
        for wrong, row in zip(found.misclassified, probabilities, strict=True)
    )
    write_record(output / "mnist" / "evaluation.json", replace(found, misclassified=mistakes))
    write_record(output / "mnist" / "weights.json", export_weights(network, found.checkpoint_sha256))


def write_run(output: Path, epochs: int = 15) -> None:
    """Write what training and evaluation leave behind."""
    (output / "mnist").mkdir(parents=True)
    (output / "mnist" / "model.pt").write_bytes(CHECKPOINT)
    write_record(output / "mnist" / "history.json", history(epochs))
    write_record(output / "mnist" / "evaluation.json", evaluation(epochs))
    write_record(output / "mnist" / "weights.json", weights())
