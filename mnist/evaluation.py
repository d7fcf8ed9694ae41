"""Evaluation of a checkpoint's network on the 10,000 test images."""

import base64
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from mnist import checkpoint
from mnist.constants import CLASSES, PIXEL_MEAN, PIXEL_STD
from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.model import ConvNet, count_parameters, layer_facts, summarise
from mnist.records import TEST_SET, Evaluation, History, Prediction, Weights, WeightTensor
from mnist.training import evaluated_network, probabilities_and_loss

SAMPLES_PER_DIGIT = 2


def load_network(path: Path) -> tuple[ConvNet, History]:
    """Load the network that the last record of the checkpoint's history evaluated, and that history.

    Raises MnistError where the checkpoint is missing or damaged, or comes from a run on held-out images.
    """
    found = checkpoint.load(path)
    history = found.history
    if history.measured_on != TEST_SET:
        raise MnistError(f"{path} was trained with --held-out, which is no result: run `make train` for one")
    return evaluated_network(found.states), history


def evaluate(path: Path, dataset: Dataset) -> tuple[Evaluation, Weights]:
    """Evaluate the checkpoint on the test images and export its weights. Raises MnistError as `load_network` does."""
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
        confusion=count_confusions(dataset.test_labels, predictions),
        misclassified=find_misclassified(dataset, probabilities),
        samples=choose_samples(dataset, probabilities),
        layers=layer_facts(network),
        data=history.data,
    )
    return evaluation, export_weights(network, digest)


def count_confusions(labels: Tensor, predictions: Tensor) -> tuple[tuple[int, ...], ...]:
    """Compute the confusion matrix of labels and predictions, both (N,): 10 × 10 counts, a row for each true digit."""
    counts = torch.bincount(labels * CLASSES + predictions, minlength=CLASSES * CLASSES)
    return tuple(tuple(row) for row in counts.view(CLASSES, CLASSES).tolist())


def find_misclassified(dataset: Dataset, probabilities: Tensor) -> tuple[Prediction, ...]:
    """Return the test images whose most probable digit, of probabilities (N, 10), is not their label, by index."""
    wrong = (probabilities.argmax(1) != dataset.test_labels).nonzero().flatten().tolist()
    return tuple(_predict(dataset, probabilities, index) for index in wrong)


def choose_samples(dataset: Dataset, probabilities: Tensor) -> tuple[Prediction, ...]:
    """Return the first test images of each digit, 0 to 9, whatever their probabilities (N, 10)."""
    return tuple(
        _predict(dataset, probabilities, index)
        for digit in range(CLASSES)
        for index in (dataset.test_labels == digit).nonzero().flatten().tolist()[:SAMPLES_PER_DIGIT]
    )


def _predict(dataset: Dataset, probabilities: Tensor, index: int) -> Prediction:
    return Prediction(
        index=index,
        true=int(dataset.test_labels[index]),
        predicted=int(probabilities[index].argmax()),
        probabilities=tuple(probabilities[index].tolist()),
        pixels=base64.b64encode(dataset.test_images[index].numpy().tobytes()).decode(),
    )


def export_weights(network: ConvNet, digest: str) -> Weights:
    """Export all that is needed to run the network elsewhere; `digest` is the SHA-256 of its checkpoint."""
    state = {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    tensors = {
        # Contiguous: in memory a convolution's channels are innermost, in the file they are in the order of the shape.
        name: WeightTensor(tuple(tensor.shape), base64.b64encode(tensor.contiguous().numpy().astype("<f4")).decode())
        for name, tensor in state.items()
    }
    norm = next(layer for layer in network if isinstance(layer, nn.BatchNorm2d))
    return Weights(digest, PIXEL_MEAN, PIXEL_STD, norm.eps, tensors)


def describe(evaluation: Evaluation) -> str:
    """Format an evaluation as text and tables."""
    digits = range(len(evaluation.confusion))
    lines = [
        headline(evaluation),
        f"loss {evaluation.loss:.4f}, {evaluation.parameters:,} parameters",
        "",
        "Confusion matrix (row: true digit, column: predicted digit)",
        "      " + "".join(f"{digit:6}" for digit in digits),
        *(f"{digit:6}" + "".join(f"{count:6}" for count in evaluation.confusion[digit]) for digit in digits),
        "",
        "Misclassified images (with the probabilities of the predicted and of the true digit)",
        " image  true  predicted  P(predicted)  P(true)",
        *(_line(wrong) for wrong in evaluation.misclassified),
    ]
    return "\n".join(lines)


def _line(wrong: Prediction) -> str:
    predicted, true = wrong.probabilities[wrong.predicted], wrong.probabilities[wrong.true]
    return f"{wrong.index:6}  {wrong.true:4}  {wrong.predicted:9}  {predicted:12.1%}  {true:7.1%}"


def headline(evaluation: Evaluation) -> str:
    """Format an evaluation in one line."""
    correct, images = evaluation.correct, evaluation.images
    return f"Test accuracy after epoch {evaluation.epoch}: {evaluation.accuracy:.2%} ({correct:,} of {images:,} images)"
