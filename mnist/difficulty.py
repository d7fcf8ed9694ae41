"""Which training images are still hard: an epoch can leave most of the others out."""

import math

import torch
from torch import Tensor

from mnist.team import Team


class Difficulty:
    """Each training image's loss when it was last trained on.

    Most digits are learnt in the first epoch, and from then on their gradients are next to nothing. An epoch that
    sees the hardest images and a random part of the others moves the weights nearly as far, in a fraction of the time
    (compare Jiang et al., "Accelerating Deep Learning by Focusing on the Biggest Losers", 2019).
    """

    def __init__(self, images: int) -> None:
        self.losses = torch.full((images,), math.inf)
        """(images,) in nats; infinite for those not seen yet, so that they come first. The same in every process."""
        self._seen = torch.zeros(2, images)

    def note(self, images: Tensor, losses: Tensor) -> None:
        """Take down the losses (N,) of images, given by their places (N,) in the training set."""
        self._seen[0, images.cpu()] = losses.detach().float().cpu()
        self._seen[1, images.cpu()] = 1

    def exchange(self, team: Team) -> None:
        """Tell the other processes what this one has seen since the last exchange, and learn it from them."""
        losses, seen = team.sum(self._seen)
        self.losses = torch.where(seen > 0, losses, self.losses)
        self._seen = torch.zeros_like(self._seen)

    def choose(self, hardest: int, count: int, generator: torch.Generator) -> Tensor:
        """Choose so many of the hardest images and fill up to `count` with others at random; shuffled places (count,).

        Where all are wanted, the losses don't matter.
        """
        images = len(self.losses)
        if hardest == images:
            return torch.randperm(images, generator=generator)
        ranked = self.losses.sort(descending=True, stable=True).indices
        others = ranked[hardest:]
        drawn = others[torch.randperm(len(others), generator=generator)[: count - hardest]]
        chosen = torch.cat([ranked[:hardest], drawn])
        return chosen[torch.randperm(count, generator=generator)]
