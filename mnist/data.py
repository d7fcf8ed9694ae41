"""The images and labels as tensors."""

from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from mnist.download import fetch
from mnist.idx import decode

HELD_OUT_EVERY = 12  # 60,000 / 12 = 5,000 images


@dataclass(frozen=True)
class Dataset:
    """Training and test set: images uint8 (N, 28, 28), labels int64 (N,)."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def to(self, device: torch.device) -> "Dataset":
        """Copy all tensors to a device."""
        return Dataset(*(getattr(self, field.name).to(device) for field in fields(self)))


def load(data: Path) -> Dataset:
    """Load MNIST from the folder, downloading it first where it is missing. Raises MnistError as `fetch` does."""
    files = fetch(data)
    tensors = {name: torch.from_numpy(decode(content).copy()) for name, content in files.items()}
    return Dataset(
        train_images=tensors["train-images-idx3-ubyte"],
        train_labels=tensors["train-labels-idx1-ubyte"].long(),
        test_images=tensors["t10k-images-idx3-ubyte"],
        test_labels=tensors["t10k-labels-idx1-ubyte"].long(),
    )


def hold_out(dataset: Dataset, seed: int) -> Dataset:
    """Replace the test set by every twelfth training image, to choose hyperparameters with.

    Each seed holds out others, so that several seeds together cover more. The real test images don't occur in the
    result, so no choice can depend on them.
    """
    held_out = torch.arange(len(dataset.train_labels)) % HELD_OUT_EVERY == seed % HELD_OUT_EVERY
    return Dataset(
        train_images=dataset.train_images[~held_out],
        train_labels=dataset.train_labels[~held_out],
        test_images=dataset.train_images[held_out],
        test_labels=dataset.train_labels[held_out],
    )
