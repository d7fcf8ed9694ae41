"""SGD, or SGD with Muon for the convolutions' kernels."""

from typing import Any

import torch
from torch import Tensor, nn

from mnist.model import ConvNet
from mnist.recipe import Recipe


class Optimizer:
    """The optimizer of all parameters of a network, as a recipe configures it.

    Muon (Jordan et al., 2024; torch.optim.Muon) makes the update of a matrix orthogonal: all directions move by the
    same amount, also those whose gradients are small. A kernel is a matrix with a row for each output channel. As its
    authors advise, SGD updates the first and the last layer.
    """

    def __init__(self, network: ConvNet, recipe: Recipe) -> None:
        convolutions = [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        kernels = convolutions[1:-1] if recipe.muon_learning_rate else []
        chosen = {id(kernel) for kernel in kernels}
        others = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
        sgd = torch.optim.SGD(
            others,
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        self._network, self._kernels = network, kernels
        self._matrices = [nn.Parameter(_as_matrix(kernel.detach())) for kernel in kernels]
        self._parts: list[tuple[torch.optim.Optimizer, float]] = [(sgd, recipe.learning_rate)]
        if kernels:
            muon = torch.optim.Muon(
                self._matrices,
                lr=recipe.muon_learning_rate,
                momentum=recipe.momentum,
                nesterov=recipe.nesterov,
                weight_decay=0.0,
            )
            self._parts.append((muon, recipe.muon_learning_rate))

    def zero_grad(self) -> None:
        """Reset the gradients."""
        self._network.zero_grad()

    def step(self, factor: float) -> None:
        """Update the parameters with the maximum learning rates times this factor."""
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _as_matrix(kernel.grad)
        for part, maximum in self._parts:
            for group in part.param_groups:
                group["lr"] = factor * maximum
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {str(number): part.state_dict() for number, (part, _) in enumerate(self._parts)}

    def load_state_dict(self, states: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for number, (part, _) in enumerate(self._parts):
            part.load_state_dict(states[str(number)])


def _as_matrix(kernel: Tensor) -> Tensor:
    """View a kernel (out, in, height, width) as (out, height·width·in): the order in memory, so nothing is copied."""
    return kernel.permute(0, 2, 3, 1).flatten(1)
