"""Batch normalisation over groups of a batch: the same statistics however many processes share the groups."""

import torch
from torch import Tensor, nn

from mnist.team import Team


class Statistics:
    """The running means and variances of a network's batch normalisations, one update a step.

    Each group's forward pass leaves its own mean and variance in the network's buffers. Their average over the groups
    of a batch moves the running values, which the network gets back before it is measured, averaged or saved. Each
    process moves its own with the groups that it has seen: a running mean is a weighted sum, so the mean over the
    processes, taken then and not at each step, is that of all groups.
    """

    def __init__(self, network: nn.Module) -> None:
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        self._buffers = [buffer for norm in norms for buffer in (norm.running_mean, norm.running_var)]
        self._momentum = norms[0].momentum or 0.0
        for norm in norms:
            norm.momentum = 1.0  # the buffers then hold the last group's values and nothing older
        self.take_up()

    def take_up(self) -> None:
        """Go on from what the network's buffers hold."""
        self._running = self.of_last_group()

    def of_last_group(self) -> Tensor:
        """Give the values that the last forward pass left: (values,)."""
        return torch.cat([buffer for buffer in self._buffers if buffer is not None])

    def move(self, batch: Tensor) -> None:
        """Move the running values towards those of a batch, as far as torch.nn.BatchNorm2d does."""
        self._running.lerp_(batch, self._momentum)

    def give_back(self, team: Team) -> None:
        """Take the mean over the processes, go on with it, and write it into the network."""
        self._running = (team.sum(self._running.cpu()) / team.size).to(self._running)
        start = 0
        for buffer in self._buffers:
            assert buffer is not None
            buffer.copy_(self._running[start : start + len(buffer)])
            start += len(buffer)
