"""The batches of an epoch: hard-example mining, random shifts, centre crops, ghost batches."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from mnist.data import Dataset
from mnist.distributed import ProcessGroup
from mnist.model import normalise
from mnist.plan import TrainingPlan


class HardExamples:
    """Each training image's loss when it was last trained on, and the images of an epoch sampled by it.

    Most digits are learnt in the first epoch, and from then on their gradients are next to nothing. An epoch that
    sees the hardest images and a random part of the others moves the weights nearly as far, in a fraction of the time
    (compare Jiang et al., "Accelerating Deep Learning by Focusing on the Biggest Losers", 2019).
    """

    def __init__(self, images: int) -> None:
        self.losses = torch.full((images,), math.inf)
        """(images,) in nats; infinite for those not seen yet, so that they come first. The same in every process."""
        self._seen = torch.zeros(2, images)

    def record(self, indices: Tensor, losses: Tensor) -> None:
        """Record the losses (N,) of images, given by their indices (N,) in the training set."""
        self._seen[0, indices.cpu()] = losses.detach().float().cpu()
        self._seen[1, indices.cpu()] = 1

    def exchange(self, group: ProcessGroup) -> None:
        """Combine the losses that all processes have recorded since the last exchange."""
        losses, seen = group.sum(self._seen)
        self.losses = torch.where(seen > 0, losses, self.losses)
        self._seen = torch.zeros_like(self._seen)

    def sample(self, hard: int, count: int, generator: torch.Generator) -> Tensor:
        """Sample the `hard` images with the largest losses, and others at random up to `count`: shuffled (count,).

        Where all images are hard, the losses have no effect.
        """
        images = len(self.losses)
        if hard == images:
            return torch.randperm(images, generator=generator)
        ranked = self.losses.sort(descending=True, stable=True).indices
        others = ranked[hard:]
        drawn = others[torch.randperm(len(others), generator=generator)[: count - hard]]
        chosen = torch.cat([ranked[:hard], drawn])
        return chosen[torch.randperm(count, generator=generator)]


def draw_offsets(count: int, shift: int, generator: torch.Generator) -> Tensor:
    """Sample each image's offset: int64 (count, 2), down and right, between -shift and +shift pixels."""
    return torch.randint(-shift, shift + 1, (count, 2), generator=generator)


def shift_images(images: Tensor, offsets: Tensor) -> Tensor:
    """Move each image by its own offset, padding with background (0).

    images (N, H, W), offsets int64 (N, 2) → (N, H, W). All at once: one gather instead of a loop over images.
    """
    count, height, width = images.shape
    margin = int(offsets.abs().max()) if count else 0
    if not margin:
        return images
    padded = pad(images, (margin, margin, margin, margin))
    rows = margin - offsets[:, :1] + torch.arange(height, device=images.device)
    columns = margin - offsets[:, 1:] + torch.arange(width, device=images.device)
    return padded[torch.arange(count, device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def crop_centre(images: Tensor, size: int) -> Tensor:
    """Crop images (N, H, W) to their centre (N, size, size)."""
    margin = (images.shape[-1] - size) // 2
    return images[:, margin : margin + size, margin : margin + size]


def make_input(images: Tensor) -> Tensor:
    """Normalise bytes (N, H, W) to the network's input (N, 1, H, W), in the layout that CPUs compute fastest."""
    return normalise(images).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Batch:
    """One step's images, as the ghost batches that this process computes."""

    images: int
    """Number over all processes."""
    ghost_batches: list[tuple[Tensor, Tensor, Tensor]]
    """Network input (G, 1, H, W), labels (G,) and indices in the training set (G,) of each."""


def make_batches(
    dataset: Dataset, plan: TrainingPlan, epoch: int, order: Tensor, offsets: Tensor, group: ProcessGroup
) -> Iterator[Batch]:
    """Yield an epoch's images, given by indices `order` (N,), shifted by `offsets` (N, 2) and cropped."""
    batch_size, image_size = plan.recipe.batch_size, plan.image_size(epoch)
    for indices, shifts in zip(torch.split(order, batch_size), torch.split(offsets, batch_size), strict=True):
        ghost_batches = []
        for chosen, moves in zip(_split(indices, plan, group), _split(shifts, plan, group), strict=True):
            images = crop_centre(shift_images(dataset.train_images[chosen], moves), image_size)
            ghost_batches.append((make_input(images), dataset.train_labels[chosen], chosen))
        yield Batch(len(indices), ghost_batches)


def _split(batch: Tensor, plan: TrainingPlan, group: ProcessGroup) -> tuple[Tensor, ...]:
    """Split a batch into ghost batches and return those of this process."""
    groups: tuple[Tensor, ...] = torch.tensor_split(batch, plan.recipe.groups)
    count = plan.recipe.groups // group.size
    return groups[group.rank * count : (group.rank + 1) * count]
