"""One training run in memory: the network, its average, the optimizer, and an epoch at a time."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from mnist.batches import Batch, HardExamples, draw_offsets, make_batches, make_input
from mnist.data import Dataset
from mnist.distributed import SINGLE_PROCESS, ProcessGroup
from mnist.errors import MnistError
from mnist.model import ConvNet, new_network
from mnist.optimizers import Optimizer
from mnist.plan import TrainingPlan
from mnist.progress import Progress
from mnist.recipe import Recipe
from mnist.records import EpochRecord

EVALUATION_BATCH_SIZE = 500
"""The result depends on it by rounding only."""
EXCHANGE_INTERVAL = 16
"""Steps between two exchanges of losses among the processes."""


@dataclass(frozen=True)
class Measurement:
    """Loss and accuracy on some images."""

    loss: float
    """Mean cross-entropy in nats."""
    correct: int
    """Number of correct predictions."""
    images: int

    @property
    def accuracy(self) -> float:
        """Return the fraction of correct predictions."""
        return self.correct / self.images


def probabilities_and_loss(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Run the network over uint8 images (N, 28, 28) in float32: probabilities (N, 10), mean cross-entropy in nats."""
    network.eval()
    with torch.inference_mode():
        logits = torch.cat([network(make_input(part)) for part in torch.split(images, EVALUATION_BATCH_SIZE)])
        # On the CPU: not every device has double precision.
        return logits.softmax(1), cross_entropy(logits.cpu().double(), labels.cpu()).item()


def measure(network: nn.Module, images: Tensor, labels: Tensor) -> Measurement:
    """Evaluate the network on uint8 images (N, 28, 28) and labels (N,)."""
    probabilities, loss = probabilities_and_loss(network, images, labels)
    return Measurement(loss, int((probabilities.argmax(1) == labels).sum()), len(labels))


def evaluated_network(states: dict[str, Any]) -> ConvNet:
    """Restore the network that was evaluated from the states of a training. Raises MnistError as `load_states` does."""
    network = new_network(0)
    average = AveragedModel(network, use_buffers=True)
    with _check_states():
        network.load_state_dict(states["network"])
        average.load_state_dict(states["average"])
    return _choose_network(network, average)


def _has_begun(average: AveragedModel) -> bool:
    return bool(average.n_averaged > 0)


def _choose_network(network: ConvNet, average: AveragedModel) -> ConvNet:
    """Return the average once averaging has begun."""
    chosen = average.module if _has_begun(average) else network
    assert isinstance(chosen, ConvNet)
    return chosen


@contextmanager
def _check_states() -> Iterator[None]:
    try:
        yield
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as cause:
        raise MnistError("the checkpoint belongs to another network: add --restart to begin anew") from cause


class GhostBatchStatistics:
    """The running means and variances of a network's batch normalisations over ghost batches, one update a step.

    Each ghost batch's forward pass leaves its own mean and variance in the network's buffers. Their average over a
    batch updates the running values, which are copied into the network before it is evaluated, averaged or saved. Each
    process updates its own from the ghost batches that it computes: a running mean is a weighted sum, so the mean over
    the processes, taken then and not at each step, is that of all ghost batches.
    """

    def __init__(self, network: nn.Module) -> None:
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        self._buffers = [buffer for norm in norms for buffer in (norm.running_mean, norm.running_var)]
        self._momentum = norms[0].momentum or 0.0
        for norm in norms:
            norm.momentum = 1.0  # the buffers then hold the last ghost batch's values and nothing older
        self.load()

    def load(self) -> None:
        """Read the running values from the network's buffers."""
        self._running = self.of_last_ghost_batch()

    def of_last_ghost_batch(self) -> Tensor:
        """Return the statistics of the last forward pass: (values,)."""
        return torch.cat([buffer for buffer in self._buffers if buffer is not None])

    def update(self, batch: Tensor) -> None:
        """Update the running values with those of a batch, as torch.nn.BatchNorm2d does."""
        self._running.lerp_(batch, self._momentum)

    def store(self, group: ProcessGroup) -> None:
        """Average the running values over the processes and copy them into the network's buffers."""
        self._running = (group.sum(self._running.cpu()) / group.size).to(self._running)
        start = 0
        for buffer in self._buffers:
            assert buffer is not None
            buffer.copy_(self._running[start : start + len(buffer)])
            start += len(buffer)


class Training:
    """The changing state of a run, in each process of the group.

    Everything random in an epoch comes from a generator seeded by the run's seed and the epoch's number, and the
    learning rate is a function of the step. So a run that was interrupted and resumed computes the same bits as one
    that was not, and every process knows the order of the images and takes its own ghost batches of each batch.
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        precision: str,
        dataset: Dataset,
        group: ProcessGroup = SINGLE_PROCESS,
        device: str = "cpu",
    ) -> None:
        if recipe.groups % group.size:
            raise MnistError(
                f"{group.size} processes can't share the {recipe.groups} ghost batches of a batch evenly: "
                "use a divisor, or change --batch-size or --ghost-batch-size"
            )
        self.recipe, self.seed, self.precision, self.group = recipe, seed, precision, group
        self.device = torch.device(device)
        self.dataset = dataset.to(self.device)
        self.network = new_network(seed).to(self.device)
        self.average = AveragedModel(self.network, use_buffers=True)
        self.optimizer = Optimizer(self.network, recipe)
        self.plan = TrainingPlan(recipe, len(dataset.train_labels))
        self.hard_examples = HardExamples(len(dataset.train_labels))
        self._parallel_network = group.wrap(self.network)
        self._statistics = GhostBatchStatistics(self.network)

    @property
    def averaged(self) -> bool:
        """Return whether averaging has begun."""
        return _has_begun(self.average)

    @property
    def evaluated_network(self) -> ConvNet:
        """The network whose weights are evaluated and exported."""
        return _choose_network(self.network, self.average)

    def states(self) -> dict[str, Any]:
        """Return all that a resumed run needs beside the history: tensors, numbers, lists and dictionaries."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "example_losses": self.hard_examples.losses,
        }

    def load_states(self, states: dict[str, Any]) -> None:
        """Restore what `states` returned. Raises MnistError where it belongs to another network."""
        with _check_states():
            self.network.load_state_dict(states["network"])
            self.average.load_state_dict(states["average"])
            self.optimizer.load_state_dict(states["optimizer"])
            self.hard_examples.losses.copy_(states["example_losses"])
        self._statistics.load()

    def run_epoch(self, epoch: int, report: Callable[[Progress], None]) -> EpochRecord:
        """Train and evaluate one epoch. Raises MnistError where the loss is no longer finite."""
        start = time.perf_counter()
        progress = Progress(0, 0.0, 0.0, 0.0)
        for progress in self.steps(epoch):
            report(progress)
        tested = self._measure()
        self._check(tested.loss, f"on the images evaluated after epoch {epoch}")
        return EpochRecord(
            epoch=epoch,
            images=self.plan.images_in(epoch),
            learning_rate=progress.learning_rate,
            train_loss=progress.loss,
            train_accuracy=progress.accuracy,
            test_loss=tested.loss,
            test_accuracy=tested.accuracy,
            seconds=time.perf_counter() - start,
            averaged=self.averaged,
        )

    def _measure(self) -> Measurement:
        """Evaluate on the test images, each process on its part of them."""
        images, labels = (
            torch.tensor_split(tensor, self.group.size)[self.group.rank]
            for tensor in (self.dataset.test_images, self.dataset.test_labels)
        )
        part = measure(self.evaluated_network, images, labels)
        sums = self.group.sum(torch.tensor([part.loss * part.images, part.correct], dtype=torch.float64))
        total = len(self.dataset.test_labels)
        return Measurement(sums[0].item() / total, int(sums[1].item()), total)

    def steps(self, epoch: int) -> Iterator[Progress]:
        """Train one epoch, counted from 1, step by step. Raises MnistError where the loss is no longer finite.

        Loss and accuracy are those of all processes, as of their last exchange.
        """
        self.network.train()
        seen, first = 0, self.plan.steps_before(epoch)
        own = total = torch.zeros(3, dtype=torch.float64)  # sum of losses, correct predictions, images
        for number, batch in enumerate(self._batches(epoch), start=1):
            step = first + number - 1
            rate = self.plan.learning_rate_at(step)
            own = own + self._step(batch, rate)
            seen += batch.images
            self._average(step)
            if (number - 1) % EXCHANGE_INTERVAL == 0 or number == self.plan.steps_in(epoch):
                total = self.group.sum(own)
                self._check(total[0].item(), f"in epoch {epoch}, by step {number}")
            loss, accuracy = (total[:2] / total[2].clamp(min=1)).tolist()
            yield Progress(seen, loss, accuracy, rate)
        self.hard_examples.exchange(self.group)
        self._statistics.store(self.group)

    @staticmethod
    def _check(loss: float, where: str) -> None:
        if not math.isfinite(loss):
            remedy = "earlier epochs stay as written; begin anew with another --recipe or --seed and --restart"
            raise MnistError(f"the loss became {loss} {where}: {remedy}")

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the epoch's training images, each once, shuffled, shifted and cropped."""
        # SeedSequence mixes both numbers, so that neighbouring seeds share nothing.
        mixed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(mixed[0] >> np.uint64(1)))
        count = self.plan.images_in(epoch)
        order = self.hard_examples.sample(self.plan.hard_examples(epoch), count, generator).to(self.device)
        offsets = draw_offsets(count, self.recipe.shift, generator).to(self.device)
        return make_batches(self.dataset, self.plan, epoch, order, offsets, self.group)

    def _step(self, batch: Batch, rate: float) -> Tensor:
        """Run one optimizer step; return this process's sum of losses, number of correct predictions and images."""
        self.optimizer.zero_grad()
        sums = torch.zeros(3, dtype=torch.float64)
        statistics = torch.zeros_like(self._statistics.of_last_ghost_batch())
        for number, (images, labels, indices) in enumerate(batch.ghost_batches, start=1):
            # Gradients are averaged over the processes, so each process's part is multiplied by their number.
            share = len(labels) / batch.images * self.group.size
            # Gradients of several processes are averaged with the last ghost batch's backward pass, not with each.
            with self.group.gradient_sync(self._parallel_network, enabled=number == len(batch.ghost_batches)):
                logits = self._logits(images)
                smoothing = self.recipe.label_smoothing
                losses = cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
                (losses.mean() * share).backward()  # type: ignore[no-untyped-call]
            self.hard_examples.record(indices, losses)
            statistics += self._statistics.of_last_ghost_batch() * share
            correct = (logits.argmax(1) == labels).sum().item()
            sums += torch.tensor([losses.sum().item(), correct, len(labels)])
        self.optimizer.step(rate / self.recipe.learning_rate)
        self._statistics.update(statistics)
        return sums

    def _logits(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits: Tensor = self._parallel_network(images)
        return logits.float()

    def _average(self, step: int) -> None:
        total = self.plan.steps
        if step >= self.recipe.averaging_start * total and (total - 1 - step) % self.recipe.averaging_interval == 0:
            self._statistics.store(self.group)
            self.average.update_parameters(self.network)
