"""Holding a checkpoint's network against the 10,000 test images."""

import base64
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from mnist import checkpoint
from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.history import TEST_IMAGES, History
from mnist.model import DEVIATION, DIGITS, MEAN, Network, count_parameters, layer_facts, summarise
from mnist.results import Answer, Evaluation, Weights, WeightTensor
from mnist.training import measured_network, probabilities_and_loss

SAMPLES_PER_DIGIT = 2


def load_network(path: Path) -> tuple[Network, History]:
    """Load the network that the last record of the checkpoint's history measured, and that history.

    Raises MnistError where the checkpoint is missing or damaged, or comes from a run on held-out images.
    """
    found = checkpoint.load(path)
    history = found.history
    if history.measured_on != TEST_IMAGES:
        raise MnistError(f"{path} was trained with --held-out, which is no result: run `make train` for one")
    return measured_network(found.states), history


def evaluate(path: Path, dataset: Dataset) -> tuple[Evaluation, Weights]:
    """Measure the checkpoint on the test images, and take its weights out. Raises MnistError as `load_network` does."""
    network, history = load_network(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    probabilities, loss = probabilities_and_loss(network, dataset.test_images, dataset.test_labels)
    predictions = probabilities.argmax(1)
    correct = int((predictions == dataset.test_labels).sum())
    evaluation = Evaluation(
        checkpoint_sha256=digest,
        epoch=len(history.epochs),
        images=len(predictions),
        correct=correct,
        accuracy=correct / len(predictions),
        loss=loss,
        parameters=count_parameters(network),
        summary=summarise(network),
        confusion=confusion_matrix(dataset.test_labels, predictions),
        misclassified=misclassified(dataset, probabilities),
        samples=samples(dataset, probabilities),
        layers=layer_facts(network),
        data=history.data,
    )
    return evaluation, export_weights(network, digest)


def confusion_matrix(labels: Tensor, predictions: Tensor) -> tuple[tuple[int, ...], ...]:
    """Count the pairs of true digit (row) and answer (column), both (N,): 10 × 10 numbers that sum to N."""
    counts = torch.bincount(labels * DIGITS + predictions, minlength=DIGITS * DIGITS)
    return tuple(tuple(row) for row in counts.view(DIGITS, DIGITS).tolist())


def misclassified(dataset: Dataset, probabilities: Tensor) -> tuple[Answer, ...]:
    """Give the test images whose most probable digit, of probabilities (N, 10), is not their label, in their order."""
    wrong = (probabilities.argmax(1) != dataset.test_labels).nonzero().flatten().tolist()
    return tuple(_answer(dataset, probabilities, index) for index in wrong)


def samples(dataset: Dataset, probabilities: Tensor) -> tuple[Answer, ...]:
    """Give the first test images of each digit, 0 to 9, whatever the network says of them in probabilities (N, 10)."""
    return tuple(
        _answer(dataset, probabilities, index)
        for digit in range(DIGITS)
        for index in (dataset.test_labels == digit).nonzero().flatten().tolist()[:SAMPLES_PER_DIGIT]
    )


def _answer(dataset: Dataset, probabilities: Tensor, index: int) -> Answer:
    return Answer(
        index=index,
        true=int(dataset.test_labels[index]),
        predicted=int(probabilities[index].argmax()),
        probabilities=tuple(probabilities[index].tolist()),
        pixels=base64.b64encode(dataset.test_images[index].numpy().tobytes()).decode(),
    )


def export_weights(network: Network, digest: str) -> Weights:
    """Take out all that is needed to run the network elsewhere; `digest` is the SHA-256 of its checkpoint."""
    state = {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    tensors = {
        # Contiguous: in memory the channels of a convolution lie innermost, in the file they come as the shape says.
        name: WeightTensor(tuple(tensor.shape), base64.b64encode(tensor.contiguous().numpy().astype("<f4")).decode())
        for name, tensor in state.items()
    }
    norm = next(layer for layer in network if isinstance(layer, nn.BatchNorm2d))
    return Weights(digest, MEAN, DEVIATION, norm.eps, tensors)


def describe(evaluation: Evaluation) -> str:
    """Tell an evaluation in words and tables."""
    digits = range(len(evaluation.confusion))
    lines = [
        headline(evaluation),
        f"loss {evaluation.loss:.4f}, {evaluation.parameters:,} parameters",
        "",
        "Confusion matrix (row: the true digit, column: the network's answer)",
        "      " + "".join(f"{digit:6}" for digit in digits),
        *(f"{digit:6}" + "".join(f"{count:6}" for count in evaluation.confusion[digit]) for digit in digits),
        "",
        "Misclassified images (how sure the network was of its answer, and of the truth)",
        " image  true  answer   answer    truth",
        *(_line(wrong) for wrong in evaluation.misclassified),
    ]
    return "\n".join(lines)


def _line(wrong: Answer) -> str:
    answer, truth = wrong.probabilities[wrong.predicted], wrong.probabilities[wrong.true]
    return f"{wrong.index:6}  {wrong.true:4}  {wrong.predicted:6}  {answer:7.1%}  {truth:7.1%}"


def headline(evaluation: Evaluation) -> str:
    """Tell an evaluation in one line."""
    correct, images = evaluation.correct, evaluation.images
    return f"After epoch {evaluation.epoch}: {evaluation.accuracy:.2%} ({correct:,} of {images:,} test images)"
