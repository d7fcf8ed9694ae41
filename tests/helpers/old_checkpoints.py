"""Checkpoints with the names that version 0.1.0 gave their contents."""

import dataclasses
from pathlib import Path

import torch

from mnist.checkpoint import Checkpoint

RECIPE_NAMES = {
    "ghost_batch_size": "norm_size",
    "crop_size": "small_size",
    "crop_epoch_fraction": "small_share",
    "hard_example_fraction": "hard_share",
    "easy_example_fraction": "easy_share",
    "full_epochs_at_start": "whole_first",
    "full_epochs_at_end": "whole_last",
    "muon_learning_rate": "muon_rate",
}


def write_as_version_0_1_0(path: Path, checkpoint: Checkpoint) -> None:
    history = dataclasses.asdict(checkpoint.history)
    history["recipe"] = {RECIPE_NAMES.get(name, name): value for name, value in history["recipe"].items()}
    states = {"difficulty" if name == "example_losses" else name: state for name, state in checkpoint.states.items()}
    torch.save({"format": "mnist training checkpoint 3", "history": history, "states": states}, path)
