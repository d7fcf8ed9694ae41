"""Reading what training and evaluation recorded, and refusing what does not belong together."""

import binascii
import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

from backprop.crosscheck.report import CrossCheck
from backprop.records import read_record
from mnist.bench import Benchmarks, read_benchmarks
from mnist.errors import MnistError
from mnist.recipe import check
from mnist.records import (
    TEST_SET,
    Evaluation,
    History,
    Prediction,
    Weights,
    read_evaluation,
    read_history,
    read_weights,
)
from mnist.study import Study, read_studies
from reports.architecture import DIGITS, network_problem
from reports.errors import ReportError

PIXELS = 784
_EVALUATE = "run `make report`, which evaluates anew"


@dataclass(frozen=True)
class Inputs:
    """A run, what it is worth, and the workbook: files that have been found to fit each other."""

    history: History
    evaluation: Evaluation
    weights: Weights
    workbook: Path
    proof: CrossCheck | None
    """What `make prove` found; None where it has not run."""
    studies: tuple[Study, ...] = ()
    """Of several seeds; empty where none was made."""
    measured: Benchmarks = field(default_factory=Benchmarks)
    """What `make bench` found out about the cost of training."""


def read_inputs(output: Path) -> Inputs:
    """Read OUTPUT/mnist and find OUTPUT/backprop.xlsx.

    Raises ReportError that names the make target where something is missing, damaged, or of another run.
    """
    workbook, folder = output / "backprop.xlsx", output / "mnist"
    if not workbook.is_file():
        raise ReportError(f"{workbook} does not exist: run `make workbook`, which writes it")
    history = read_history(folder / "history.json")
    _check_history(folder / "history.json", history)
    evaluation = read_evaluation(folder / "evaluation.json")
    weights = read_weights(folder / "weights.json")
    studies, measured = read_studies(folder), read_benchmarks(folder)
    _check_evaluation(folder / "evaluation.json", evaluation)
    _check_together(folder, history, evaluation)
    _check_weights(folder / "weights.json", weights, evaluation)
    return Inputs(history, evaluation, weights, workbook, _read_proof(output / "proof.json"), studies, measured)


def _read_proof(path: Path) -> CrossCheck | None:
    if not path.exists():
        return None
    return read_record(CrossCheck, path, "run `make prove`, which writes it")


def _check_history(path: Path, history: History) -> None:
    if history.measured_on != TEST_SET:
        raise ReportError(f"{path} is of a run with --held-out, which is no result: run `make train` for one")
    if not history.epochs:
        raise ReportError(f"{path} holds no epoch yet: run `make train`, which goes on with the run")
    try:
        check(history.recipe)
    except MnistError as error:
        raise ReportError(f"{path} is damaged (its recipe: {error}): run `make train`") from error
    for place, record in enumerate(history.epochs, 1):
        sizes = (record.train_loss, record.test_loss, record.learning_rate, record.seconds)
        shares = (record.train_accuracy, record.test_accuracy)
        possible = record.images >= 1 and all(map(_is_size, sizes)) and all(map(_is_share, shares))
        if record.epoch != place or not possible:
            raise ReportError(f"{path} is damaged (epoch {place} holds impossible numbers): run `make train`")


def _check_evaluation(path: Path, evaluation: Evaluation) -> None:
    problem = _problem(evaluation)
    if problem:
        raise ReportError(f"{path} is damaged ({problem}): {_EVALUATE}")


def _problem(evaluation: Evaluation) -> str | None:
    """Find what JSON of the right types can still get wrong."""
    counts = evaluation.confusion
    if len(counts) != DIGITS or any(len(row) != DIGITS for row in counts):
        return "the confusion matrix is not 10 × 10"
    if evaluation.images < 1 or sum(map(sum, counts)) != evaluation.images:
        return "the confusion matrix does not sum to the number of images"
    if sum(counts[digit][digit] for digit in range(DIGITS)) != evaluation.correct:
        return "the confusion matrix does not agree with the number of correct answers"
    if len(evaluation.misclassified) != evaluation.images - evaluation.correct:
        return "the misclassified images are not all there"
    if sum(layer.parameters for layer in evaluation.layers) != evaluation.parameters:
        return "the layers' parameters do not sum to the network's"
    if not (_is_size(evaluation.loss) and _is_share(evaluation.accuracy)):
        return "impossible numbers"
    if not math.isclose(evaluation.accuracy, evaluation.correct / evaluation.images):
        return "the accuracy does not agree with the number of correct answers"
    for answer in (*evaluation.misclassified, *evaluation.samples):
        if not _is_answer(answer):
            return f"image {answer.index} is not what it should be"
    if {sample.true for sample in evaluation.samples} != set(range(DIGITS)):
        return "the samples are not of all ten digits"
    return None


def _is_answer(answer: Prediction) -> bool:
    try:
        size = len(binascii.a2b_base64(answer.pixels))
    except (binascii.Error, ValueError):
        return False
    digits = answer.true in range(DIGITS) and answer.predicted in range(DIGITS)
    shares = answer.probabilities
    return digits and size == PIXELS and len(shares) == DIGITS and all(map(_is_share, shares))


def _check_together(folder: Path, history: History, evaluation: Evaluation) -> None:
    """Hold the evaluation against the checkpoint that lies beside it."""
    checkpoint = folder / "model.pt"
    try:
        found = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise ReportError(f"{checkpoint} does not exist: run `make train`, which writes it") from None
    except OSError as error:
        raise ReportError(f"{checkpoint} can't be read ({error.strerror}): run `make train`") from error
    if found != evaluation.checkpoint_sha256:
        raise ReportError(f"{folder / 'evaluation.json'} is not of {checkpoint}, which has changed since: {_EVALUATE}")
    if evaluation.epoch != len(history.epochs):
        raise ReportError(
            f"{folder / 'evaluation.json'} measures epoch {evaluation.epoch}, but {folder / 'history.json'} has "
            f"{len(history.epochs)}: {_EVALUATE}"
        )


def _check_weights(path: Path, weights: Weights, evaluation: Evaluation) -> None:
    """Hold the exported weights against the evaluation, which fits the checkpoint."""
    if weights.checkpoint_sha256 != evaluation.checkpoint_sha256:
        raise ReportError(f"{path} is not of the checkpoint that evaluation.json measures: {_EVALUATE}")
    problem = network_problem(weights, evaluation.layers)
    if problem:
        raise ReportError(f"{path} is not the network that evaluation.json describes ({problem}): {_EVALUATE}")


def _is_size(value: float) -> bool:
    return math.isfinite(value) and value >= 0


def _is_share(value: float) -> bool:
    # Probabilities come from float32 and may sum to a little more than 1.
    return math.isfinite(value) and 0 <= value <= 1.000001
