"""Evaluations against NumPy's counting, the history's figures, and torch's functions fed from weights.json."""

import base64
import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from backprop.errors import BackpropError
from backprop.records import write_record
from mnist import checkpoint, evaluation
from mnist.data import Dataset
from mnist.model import normalise
from mnist.records import (
    Evaluation,
    Weights,
    read_evaluation,
    read_history,
    read_weights,
)


@pytest.fixture(scope="session")
def found(finished_run: Path, dataset: Dataset) -> tuple[Evaluation, Weights]:
    return evaluation.evaluate(finished_run / "model.pt", dataset)


def test_figures_are_those_of_the_last_record(found: tuple[Evaluation, Weights], finished_run: Path) -> None:
    last = read_history(finished_run / "history.json").epochs[-1]
    assert found[0].epoch == last.epoch
    assert found[0].accuracy == last.test_accuracy
    assert found[0].loss == pytest.approx(last.test_loss, rel=1e-9)


def test_the_summary_is_the_assignments(found: tuple[Evaluation, Weights]) -> None:
    golden = Path(__file__).parents[1] / "reference" / "model-summary.txt"
    assert found[0].summary == golden.read_text(encoding="utf-8")


def test_confusion_matrix_sums_to_the_images_and_its_trace_is_the_accuracy(
    found: tuple[Evaluation, Weights], dataset: Dataset
) -> None:
    result = found[0]
    matrix = np.array(result.confusion)
    assert matrix.sum() == result.images == 10_000
    assert matrix.sum(1).tolist() == dataset.test_labels.bincount().tolist()
    assert matrix.trace() == result.correct == round(result.accuracy * 10_000)
    assert len(result.misclassified) == 10_000 - result.correct


def test_confusion_matrix_is_numpys_count() -> None:
    generator = np.random.default_rng(0)
    labels, predictions = generator.integers(0, 10, (2, 500))
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels, predictions), 1)
    assert evaluation.count_confusions(torch.tensor(labels), torch.tensor(predictions)) == tuple(map(tuple, expected))


def test_misclassified_images_are_shown_as_they_are(found: tuple[Evaluation, Weights], dataset: Dataset) -> None:
    for wrong in found[0].misclassified[:200]:
        assert wrong.true == int(dataset.test_labels[wrong.index]) != wrong.predicted
        assert wrong.predicted == max(range(10), key=wrong.probabilities.__getitem__)
        assert sum(wrong.probabilities) == pytest.approx(1, abs=1e-5)
        assert [list(row) for row in wrong.rows()] == dataset.test_images[wrong.index].tolist()


def test_samples_are_the_first_of_each_digit(found: tuple[Evaluation, Weights], dataset: Dataset) -> None:
    labels = dataset.test_labels.numpy()
    expected = [
        index for digit in range(10) for index in np.flatnonzero(labels == digit)[: evaluation.SAMPLES_PER_DIGIT]
    ]
    wrong = {prediction.index: prediction for prediction in found[0].misclassified}
    assert [sample.index for sample in found[0].samples] == expected
    for sample in found[0].samples:
        assert sample.true == labels[sample.index]
        assert (sample.predicted != sample.true) == (sample.index in wrong)
        assert wrong.get(sample.index, sample) == sample
        assert [list(row) for row in sample.rows()] == dataset.test_images[sample.index].tolist()


def test_files_come_back_as_they_were(found: tuple[Evaluation, Weights], finished_run: Path, tmp_path: Path) -> None:
    write_record(tmp_path / "evaluation.json", found[0])
    write_record(tmp_path / "weights.json", found[1])
    assert read_evaluation(tmp_path / "evaluation.json") == found[0]
    assert read_weights(tmp_path / "weights.json") == found[1]
    digest = hashlib.sha256((finished_run / "model.pt").read_bytes()).hexdigest()
    assert found[0].checkpoint_sha256 == found[1].checkpoint_sha256 == digest


def logits_from(weights: Weights, images: Tensor) -> Tensor:
    """Run the network with nothing but what weights.json says."""
    tensors = {
        name: torch.tensor(np.frombuffer(base64.b64decode(tensor.data), "<f4").reshape(tensor.shape).copy())
        for name, tensor in weights.tensors.items()
    }
    values = ((images.float() / 255 - weights.mean) / weights.std)[:, None]
    for number in range(1, 6):
        conv, norm = f"conv{number}", f"norm{number}"
        values = functional.conv2d(
            values, tensors[f"{conv}.weight"], tensors[f"{conv}.bias"], padding=int(number < 4)
        ).relu()
        mean, variance = tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"]
        scale = tensors[f"{norm}.weight"] / (variance + weights.epsilon).sqrt()
        values = (values - mean[:, None, None]) * scale[:, None, None] + tensors[f"{norm}.bias"][:, None, None]
        values = functional.max_pool2d(values, 2) if number == 3 else values
    return values.mean((2, 3))


def test_exported_weights_are_the_network(
    found: tuple[Evaluation, Weights], finished_run: Path, dataset: Dataset
) -> None:
    network = evaluation.load_network(finished_run / "model.pt")[0].eval()
    images = dataset.test_images[:64]
    with torch.no_grad():
        torch.testing.assert_close(logits_from(found[1], images), network(normalise(images)), rtol=1e-4, atol=1e-4)


def test_a_run_on_held_out_images_is_no_result(finished_run: Path, dataset: Dataset, tmp_path: Path) -> None:
    whole = checkpoint.load(finished_run / "model.pt")
    history = dataclasses.replace(whole.history, measured_on="held-out")
    checkpoint.save(tmp_path / "model.pt", dataclasses.replace(whole, history=history))
    with pytest.raises(BackpropError, match="--held-out, which is no result"):
        evaluation.evaluate(tmp_path / "model.pt", dataset)


def test_the_report_holds_every_figure(found: tuple[Evaluation, Weights]) -> None:
    result, text = found[0], evaluation.describe(found[0])
    assert text.startswith(f"Test accuracy after epoch 1: {result.accuracy:.2%} ({result.correct:,} of 10,000 images)")
    assert len(text.splitlines()) == 18 + len(result.misclassified)


@pytest.mark.parametrize("name", ["evaluation.json", "weights.json"])
def test_missing_results_name_the_target(tmp_path: Path, name: str) -> None:
    read = {"evaluation.json": read_evaluation, "weights.json": read_weights}[name]
    with pytest.raises(BackpropError, match="make report"):
        read(tmp_path / name)
