"""One training run in memory: the network, its average, the optimizer, and an epoch at a time."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from mnist.augmentation import draw_offsets, shifted
from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.history import EpochRecord
from mnist.model import Network, new_network, normalise
from mnist.progress import Progress
from mnist.recipe import Recipe

MEASURED_AT_ONCE = 500  # images per batch of a measurement; the result does not depend on it but for rounding


@dataclass(frozen=True)
class Measurement:
    """Mean cross-entropy in nats and number of right answers."""

    loss: float
    correct: int
    images: int

    @property
    def accuracy(self) -> float:
        """Give the share of right answers."""
        return self.correct / self.images


def probabilities_and_loss(network: torch.nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Run the network over uint8 images (N, 28, 28) in float32: probabilities (N, 10), mean cross-entropy in nats."""
    network.eval()
    with torch.inference_mode():
        logits = torch.cat([network(_as_input(part)) for part in torch.split(images, MEASURED_AT_ONCE)])
        return logits.softmax(1), cross_entropy(logits.double(), labels).item()


def measure(network: torch.nn.Module, images: Tensor, labels: Tensor) -> Measurement:
    """Measure the network on uint8 images (N, 28, 28) and labels (N,)."""
    probabilities, loss = probabilities_and_loss(network, images, labels)
    return Measurement(loss, int((probabilities.argmax(1) == labels).sum()), len(labels))


def _as_input(images: Tensor) -> Tensor:
    return normalise(images).contiguous(memory_format=torch.channels_last)


class Training:
    """The changing state of a run.

    Everything random in an epoch comes from a generator seeded by the run's seed and the epoch's number, and the
    learning rate is a function of the step. So a run that was interrupted and resumed computes the same bits as one
    that was not.
    """

    def __init__(self, recipe: Recipe, seed: int, precision: str, dataset: Dataset) -> None:
        self.recipe, self.seed, self.precision, self.dataset = recipe, seed, precision, dataset
        self.network = new_network(seed)
        self.average = AveragedModel(self.network, use_buffers=True)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        self.steps_per_epoch = math.ceil(len(dataset.train_labels) / recipe.batch_size)

    @property
    def averaged(self) -> bool:
        """Tell whether averaging has begun."""
        return bool(self.average.n_averaged > 0)

    @property
    def measured_network(self) -> Network:
        """The network whose weights are measured and given away: the average once there is one."""
        network = self.average.module if self.averaged else self.network
        assert isinstance(network, Network)
        return network

    def states(self) -> dict[str, Any]:
        """Give all that a resumed run needs beside the history: tensors, numbers, lists and dictionaries."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_states(self, states: dict[str, Any]) -> None:
        """Take up what `states` gave. Raises MnistError where it belongs to another network."""
        try:
            self.network.load_state_dict(states["network"])
            self.average.load_state_dict(states["average"])
            self.optimizer.load_state_dict(states["optimizer"])
        except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as cause:
            raise MnistError("the checkpoint belongs to another network: add --restart to begin anew") from cause

    def run_epoch(self, epoch: int, report: Callable[[Progress], None]) -> EpochRecord:
        """Train one epoch and measure. Raises MnistError where the loss is no number any more."""
        start = time.perf_counter()
        progress = Progress(0, 0.0, 0.0, 0.0)
        for progress in self.steps(epoch):
            report(progress)
        tested = measure(self.measured_network, self.dataset.test_images, self.dataset.test_labels)
        return EpochRecord(
            epoch=epoch,
            learning_rate=progress.learning_rate,
            train_loss=progress.loss,
            train_accuracy=progress.accuracy,
            test_loss=tested.loss,
            test_accuracy=tested.accuracy,
            seconds=time.perf_counter() - start,
            averaged=self.averaged,
        )

    def steps(self, epoch: int) -> Iterator[Progress]:
        """Train one epoch, counted from 1, step by step. Raises MnistError where the loss is no number any more."""
        self.network.train()
        seen, loss_sum, correct = 0, 0.0, 0
        first = (epoch - 1) * self.steps_per_epoch
        for step, (images, labels) in enumerate(self._batches(epoch), start=first):
            rate = self.recipe.learning_rate_at(step, self.steps_per_epoch)
            loss, right = self._step(images, labels, rate)
            if not math.isfinite(loss):
                remedy = "earlier epochs stay as written; begin anew with another --recipe or --seed and --restart"
                raise MnistError(f"the loss became {loss} in epoch {epoch}, step {step - first + 1}: {remedy}")
            self._average(step)
            seen, loss_sum, correct = seen + len(labels), loss_sum + loss * len(labels), correct + right
            yield Progress(seen, loss_sum / seen, correct / seen, rate)

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give each training image once, shuffled and shifted: network input (B, 1, 28, 28), labels (B,)."""
        # SeedSequence mixes both numbers, so that neighbouring seeds share nothing.
        mixed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(mixed[0] >> np.uint64(1)))
        images, labels = self.dataset.train_images, self.dataset.train_labels
        order = torch.randperm(len(labels), generator=generator)
        offsets = draw_offsets(len(labels), self.recipe.shift, generator)
        size = self.recipe.batch_size
        for chosen, moves in zip(torch.split(order, size), torch.split(offsets, size), strict=True):
            yield _as_input(shifted(images[chosen], moves)), labels[chosen]

    def _step(self, images: Tensor, labels: Tensor, rate: float) -> tuple[float, int]:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits = self.network(images)
        loss = cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item(), int((logits.argmax(1) == labels).sum())

    def _average(self, step: int) -> None:
        total = self.recipe.epochs * self.steps_per_epoch
        if step >= self.recipe.averaging_start * total and (total - 1 - step) % self.recipe.averaging_interval == 0:
            self.average.update_parameters(self.network)
