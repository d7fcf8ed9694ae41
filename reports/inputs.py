"""Reading what training and evaluation recorded, and refusing what is damaged or does not belong together."""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from backprop.crosscheck.report import CrossCheck
from backprop.network import SHEET_ITERATIONS, Preset
from backprop.records import read_record
from backprop.sheet.record import read_workbook_record, sha256
from mnist.bench import Benchmarks, read_benchmarks
from mnist.constants import CLASSES, PIXELS
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
from reports.errors import ReportError

_PARAMETERS = {"Conv2d": ("weight", "bias"), "BatchNorm2d": ("weight", "bias", "running_mean", "running_var")}
"""The tensors of a layer, by its kind."""
_EVALUATE = "run `make report`, or `python -m mnist evaluate`, which evaluates anew"


@dataclass(frozen=True)
class Workbook:
    """The workbook of Part 1, and what its record says that it was made from."""

    path: Path
    preset: Preset
    learning_rate: float
    resaved: bool = False
    """Whether another program has saved it since the export."""


@dataclass(frozen=True)
class Inputs:
    """A run, what it is worth, and the workbook: files that have been found to fit each other."""

    history: History
    evaluation: Evaluation
    weights: Weights
    workbook: Workbook
    proof: CrossCheck | None
    """What `make prove` found; None where it has not run."""
    studies: tuple[Study, ...] = ()
    """Of several seeds; empty where none was made."""
    measured: Benchmarks = field(default_factory=Benchmarks)
    """What `make bench` found out about the cost of training."""


def read_inputs(output: Path) -> Inputs:
    """Read OUTPUT/backprop.xlsx, its record and OUTPUT/mnist.

    Raises BackpropError that names the make target where something is missing, damaged, or of another run.
    """
    workbook, folder = _read_workbook(output / "backprop.xlsx"), output / "mnist"
    history = read_history(folder / "history.json")
    _check_history(folder / "history.json", history)
    evaluation = read_evaluation(folder / "evaluation.json")
    weights = read_weights(folder / "weights.json")
    studies, measured = read_studies(folder), read_benchmarks(folder)
    _check_images(folder / "evaluation.json", evaluation)
    _check_together(folder, history, evaluation)
    _check_weights(folder / "weights.json", weights, evaluation)
    return Inputs(history, evaluation, weights, workbook, _read_proof(output / "proof.json"), studies, measured)


def _read_workbook(path: Path) -> Workbook:
    remedy = "run `make workbook`, which writes it anew"
    try:
        found = sha256(path.read_bytes())
    except FileNotFoundError:
        raise ReportError(f"{path} does not exist: {remedy}") from None
    except OSError as error:
        raise ReportError(f"{path} can't be read ({error.strerror}): {remedy}") from error
    record = read_workbook_record(path)
    preset = record.shipped_preset()
    if preset is None:
        raise ReportError(
            f"{path} has a network or values that no shipped one has, and the page tells those alone: {remedy}"
        )
    if preset.network.description != "2-2-2 sigmoid":
        raise ReportError(
            f"{path} is of a {preset.network.description} network; the page tells 2-2-2 sigmoid ones alone"
        )
    if record.iterations != SHEET_ITERATIONS:
        raise ReportError(f"{path} has {record.iterations} iterations, and the page {SHEET_ITERATIONS}: {remedy}")
    if record.as_taught:
        raise ReportError(f"{path} repeats the class sheet's slip (--as-taught): {remedy} without it")
    return Workbook(path, preset, record.learning_rate, resaved=found != record.workbook_sha256)


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


def _check_images(path: Path, evaluation: Evaluation) -> None:
    """Refuse images that can't be drawn."""
    for image in (*evaluation.misclassified, *evaluation.samples):
        if not _is_drawable(image):
            raise ReportError(f"{path} is damaged (image {image.index} is not what it should be): {_EVALUATE}")


def _is_drawable(image: Prediction) -> bool:
    try:
        pixels = base64.b64decode(image.pixels, validate=True)
    except ValueError:
        return False
    digits = range(len(image.probabilities))
    return len(digits) == CLASSES and image.true in digits and image.predicted in digits and len(pixels) == PIXELS


def _check_together(folder: Path, history: History, evaluation: Evaluation) -> None:
    """Compare the evaluation with the checkpoint that lies beside it."""
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
    """Refuse weights of another checkpoint, and such as the page's own network can't be made of."""
    if weights.checkpoint_sha256 != evaluation.checkpoint_sha256:
        raise ReportError(f"{path} is not of the checkpoint that evaluation.json measures: {_EVALUATE}")
    for name in (f"{layer.name}.{part}" for layer in evaluation.layers for part in _PARAMETERS.get(layer.kind, ())):
        try:
            weights.tensors[name].numbers()
        except (KeyError, ValueError):
            raise ReportError(f"{path} is damaged (its tensor {name} is not whole): {_EVALUATE}") from None
