"""One training run in memory: the network, its average, the optimizer, and an epoch at a time."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from mnist.augmentation import draw_offsets, middle, shifted
from mnist.data import Dataset
from mnist.difficulty import Difficulty
from mnist.errors import MnistError
from mnist.history import EpochRecord
from mnist.model import Network, new_network, normalise
from mnist.normalisation import Statistics
from mnist.optimizers import Optimizer
from mnist.plan import Plan
from mnist.progress import Progress
from mnist.recipe import Recipe
from mnist.team import ALONE, Team

MEASURED_AT_ONCE = 500  # images per batch of a measurement; the result does not depend on it but for rounding
EXCHANGE_EVERY = 16  # steps between two moments at which processes tell each other their losses


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
        # On the CPU: not every device has double precision.
        return logits.softmax(1), cross_entropy(logits.cpu().double(), labels.cpu()).item()


def measure(network: torch.nn.Module, images: Tensor, labels: Tensor) -> Measurement:
    """Measure the network on uint8 images (N, 28, 28) and labels (N,)."""
    probabilities, loss = probabilities_and_loss(network, images, labels)
    return Measurement(loss, int((probabilities.argmax(1) == labels).sum()), len(labels))


def _as_input(images: Tensor) -> Tensor:
    return normalise(images).contiguous(memory_format=torch.channels_last)


def measured_network(states: dict[str, Any]) -> Network:
    """Take from the states of a training the network that was measured. Raises MnistError as `load_states` does."""
    network = new_network(0)
    average = AveragedModel(network, use_buffers=True)
    with _of_this_network():
        network.load_state_dict(states["network"])
        average.load_state_dict(states["average"])
    return _measured(network, average)


def _averaged(average: AveragedModel) -> bool:
    return bool(average.n_averaged > 0)


def _measured(network: Network, average: AveragedModel) -> Network:
    """Choose the average once there is one."""
    chosen = average.module if _averaged(average) else network
    assert isinstance(chosen, Network)
    return chosen


@contextmanager
def _of_this_network() -> Iterator[None]:
    try:
        yield
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as cause:
        raise MnistError("the checkpoint belongs to another network: add --restart to begin anew") from cause


@dataclass(frozen=True)
class Batch:
    """One step's images, in the groups that this process computes."""

    images: int
    """How many there are over all processes."""
    groups: list[tuple[Tensor, Tensor, Tensor]]
    """Network input (G, 1, H, W), labels (G,) and places in the training set (G,) of each group."""


class Training:
    """The changing state of a run, in each of the processes that share it.

    Everything random in an epoch comes from a generator seeded by the run's seed and the epoch's number, and the
    learning rate is a function of the step. So a run that was interrupted and resumed computes the same bits as one
    that was not, and every process knows the order of the images and takes its own groups of each batch.
    """

    def __init__(
        self, recipe: Recipe, seed: int, precision: str, dataset: Dataset, team: Team = ALONE, device: str = "cpu"
    ) -> None:
        if recipe.groups % team.size:
            raise MnistError(
                f"{team.size} processes can't share the {recipe.groups} groups of a batch evenly: "
                "use a divisor, or change --batch-size or --norm-size"
            )
        self.recipe, self.seed, self.precision, self.team = recipe, seed, precision, team
        self.device = torch.device(device)
        self.dataset = dataset.to(self.device)
        self.network = new_network(seed).to(self.device)
        self.average = AveragedModel(self.network, use_buffers=True)
        self.optimizer = Optimizer(self.network, recipe)
        self.plan = Plan(recipe, len(dataset.train_labels))
        self.difficulty = Difficulty(len(dataset.train_labels))
        self._shared_network = team.wrapped(self.network)
        self._statistics = Statistics(self.network)

    @property
    def averaged(self) -> bool:
        """Tell whether averaging has begun."""
        return _averaged(self.average)

    @property
    def measured_network(self) -> Network:
        """The network whose weights are measured and given away."""
        return _measured(self.network, self.average)

    def states(self) -> dict[str, Any]:
        """Give all that a resumed run needs beside the history: tensors, numbers, lists and dictionaries."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "difficulty": self.difficulty.losses,
        }

    def load_states(self, states: dict[str, Any]) -> None:
        """Take up what `states` gave. Raises MnistError where it belongs to another network."""
        with _of_this_network():
            self.network.load_state_dict(states["network"])
            self.average.load_state_dict(states["average"])
            self.optimizer.load_state_dict(states["optimizer"])
            self.difficulty.losses.copy_(states["difficulty"])
        self._statistics.take_up()

    def run_epoch(self, epoch: int, report: Callable[[Progress], None]) -> EpochRecord:
        """Train one epoch and measure. Raises MnistError where the loss is no number any more."""
        start = time.perf_counter()
        progress = Progress(0, 0.0, 0.0, 0.0)
        for progress in self.steps(epoch):
            report(progress)
        tested = self._measure()
        self._check(tested.loss, f"on the images measured after epoch {epoch}")
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
        """Measure on the test images, each process on its share of them."""
        images, labels = (
            torch.tensor_split(tensor, self.team.size)[self.team.rank]
            for tensor in (self.dataset.test_images, self.dataset.test_labels)
        )
        part = measure(self.measured_network, images, labels)
        sums = self.team.sum(torch.tensor([part.loss * part.images, part.correct], dtype=torch.float64))
        total = len(self.dataset.test_labels)
        return Measurement(sums[0].item() / total, int(sums[1].item()), total)

    def steps(self, epoch: int) -> Iterator[Progress]:
        """Train one epoch, counted from 1, step by step. Raises MnistError where the loss is no number any more.

        Loss and accuracy are those of all processes, as of the last step at which they told each other.
        """
        self.network.train()
        seen, first = 0, self.plan.steps_before(epoch)
        own = told = torch.zeros(3, dtype=torch.float64)  # sum of losses, right answers, images
        for number, batch in enumerate(self._batches(epoch), start=1):
            step = first + number - 1
            rate = self.plan.learning_rate_at(step)
            own = own + self._step(batch, rate)
            seen += batch.images
            self._average(step)
            if (number - 1) % EXCHANGE_EVERY == 0 or number == self.plan.steps_in(epoch):
                told = self.team.sum(own)
                self._check(told[0].item(), f"in epoch {epoch}, by step {number}")
            loss, accuracy = (told[:2] / told[2].clamp(min=1)).tolist()
            yield Progress(seen, loss, accuracy, rate)
        self.difficulty.exchange(self.team)
        self._statistics.give_back(self.team)

    @staticmethod
    def _check(loss: float, where: str) -> None:
        if not math.isfinite(loss):
            remedy = "earlier epochs stay as written; begin anew with another --recipe or --seed and --restart"
            raise MnistError(f"the loss became {loss} {where}: {remedy}")

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Give each of the epoch's training images once, shuffled, shifted and cut to the epoch's size."""
        # SeedSequence mixes both numbers, so that neighbouring seeds share nothing.
        mixed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(mixed[0] >> np.uint64(1)))
        images, labels = self.dataset.train_images, self.dataset.train_labels
        count = self.plan.images_in(epoch)
        order = self.difficulty.choose(self.plan.hardest_in(epoch), count, generator).to(self.device)
        offsets = draw_offsets(count, self.recipe.shift, generator).to(self.device)
        size, edge = self.recipe.batch_size, self.plan.image_size(epoch)
        for chosen, moves in zip(torch.split(order, size), torch.split(offsets, size), strict=True):
            yield Batch(
                len(chosen),
                [
                    (_as_input(middle(shifted(images[part], offset), edge)), labels[part], part)
                    for part, offset in zip(self._own(chosen), self._own(moves), strict=True)
                ],
            )

    def _own(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Cut a batch into its groups and give those of this process."""
        groups = torch.tensor_split(batch, self.recipe.groups)
        count = self.recipe.groups // self.team.size
        return groups[self.team.rank * count : (self.team.rank + 1) * count]

    def _step(self, batch: Batch, rate: float) -> Tensor:
        """Take one step; returns this process's sum of losses, number of right answers, and number of images."""
        self.optimizer.zero_grad()
        sums = torch.zeros(3, dtype=torch.float64)
        statistics = torch.zeros_like(self._statistics.of_last_group())
        for number, (images, labels, places) in enumerate(batch.groups, start=1):
            # Processes are averaged, so each one's part counts as many times as there are processes.
            share = len(labels) / batch.images * self.team.size
            # Gradients of several processes are averaged with the last group's backward pass, not with each.
            with self.team.keeping_gradients(self._shared_network, keep=number < len(batch.groups)):
                logits = self._logits(images)
                smoothing = self.recipe.label_smoothing
                losses = cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
                (losses.mean() * share).backward()  # type: ignore[no-untyped-call]
            self.difficulty.note(places, losses)
            statistics += self._statistics.of_last_group() * share
            right = (logits.argmax(1) == labels).sum().item()
            sums += torch.tensor([losses.sum().item(), right, len(labels)])
        self.optimizer.step(rate / self.recipe.learning_rate)
        self._statistics.move(statistics)
        return sums

    def _logits(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits: Tensor = self._shared_network(images)
        return logits.float()

    def _average(self, step: int) -> None:
        total = self.plan.steps
        if step >= self.recipe.averaging_start * total and (total - 1 - step) % self.recipe.averaging_interval == 0:
            self._statistics.give_back(self.team)
            self.average.update_parameters(self.network)
