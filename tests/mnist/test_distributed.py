"""Several processes that train together, held against one that trains alone."""

import dataclasses
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from shared import shared_folder

from mnist import distributed
from mnist.data import Dataset
from mnist.distributed import ProcessGroup
from mnist.errors import MnistError
from mnist.machine import choose_device, choose_processes
from mnist.recipe import RECIPES
from mnist.training import Training

TESTS = Path(__file__).parents[1]
# One process that forks the members of each group, so that torch is imported once. They train on so few images that
# rounding has no time to grow, and rank 0 writes what it ends with.
GROUPS = """
import dataclasses, os, sys, torch
from pathlib import Path
sys.path[:0] = {folders!r}
from conftest import TINY
from mnist import training as trainings
from mnist.data import Dataset, load
from mnist.distributed import exit_process, join_process_group
from mnist.training import Training

trainings.EXCHANGE_INTERVAL = 2
torch.set_num_threads(1)
torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports 900 modules: here, not in every fork
data = load(Path({data!r}))
train, test = slice(150), slice(301)
part = Dataset(data.train_images[train], data.train_labels[train], data.test_images[test], data.test_labels[test])
mining = {{"hard_example_fraction": 0.3, "easy_example_fraction": 0.2, "full_epochs_at_start": 1}}

def train(muon, path):
    recipe = dataclasses.replace(TINY, epochs=2, ghost_batch_size=16, muon_learning_rate=muon, **mining)
    with join_process_group("cpu") as group:
        training = Training(recipe, 5, "float32", part, group)
        records = [training.run_epoch(epoch, lambda _: None) for epoch in (1, 2)]
        if group.is_rank_0:
            torch.save({{"states": training.states(), "losses": [r.train_loss for r in records],
                "rates": [r.learning_rate for r in records], "correct": [r.train_accuracy for r in records],
                "tested": [r.test_accuracy for r in records]}}, path)
    exit_process(0)

def fork(rank, size, muon, path):
    pid = os.fork()
    if not pid:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), MNIST_RENDEZVOUS=f"{{path}}.meeting", **{loopback!r})
        train(muon, path)
    return pid

for name, size, muon in {groups!r}:
    members = [fork(rank, size, muon, f"{folder}/{{name}}.pt") for rank in range(size)]
    assert [os.waitpid(member, 0)[1] for member in members] == [0] * size
"""
CASES = {"two": (2, 0.0), "four": (4, 0.05)}
RUNS = {"alone": 1, "together": 0, "again": 0}


@pytest.fixture(scope="module")
def trained(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What one process and two groups of the same size end with, in each of the cases."""
    groups = [
        (f"{case}-{run}", count or size, muon) for case, (size, muon) in CASES.items() for run, count in RUNS.items()
    ]

    def fill(folder: Path) -> None:
        folders, loopback = [str(TESTS / "mnist"), str(TESTS / "helpers")], distributed._loopback()
        script = GROUPS.format(folders=folders, data=str(data_folder), folder=folder, groups=groups, loopback=loopback)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    folder = shared_folder(tmp_path_factory, "groups", fill)
    return {name: torch.load(folder / f"{name}.pt", weights_only=True) for name, _, _ in groups}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("case", "tolerance"),
    # torch.optim.Muon rounds to bfloat16 on the way, where sums in another order make larger steps.
    [("two", 2e-4), ("four", 5e-3)],
)
def test_one_process_and_several_compute_the_same(
    trained: dict[str, dict[str, Any]], case: str, tolerance: float
) -> None:
    alone, together, again = (trained[f"{case}-{run}"] for run in RUNS)
    assert all(
        torch.equal(value, again["states"]["network"][name]) for name, value in together["states"]["network"].items()
    )
    assert together["rates"] == alone["rates"]
    assert together["losses"] == pytest.approx(alone["losses"], rel=1e-4)
    assert together["correct"] == pytest.approx(alone["correct"], abs=0.02)
    for key in ("network", "average"):
        for name, value in alone["states"][key].items():
            if value.is_floating_point():
                torch.testing.assert_close(together["states"][key][name], value, rtol=0, atol=tolerance)


def test_a_batch_must_be_shared_evenly(part: Dataset) -> None:
    recipe = dataclasses.replace(RECIPES["fast"], batch_size=96, ghost_batch_size=32)
    with pytest.raises(MnistError, match="2 processes can't share the 3 ghost batches"):
        Training(recipe, 0, "float32", part, ProcessGroup(0, 2))
    with pytest.raises(MnistError, match="take one of 1, 3"):
        choose_processes(recipe, "cpu", 2)
    assert choose_processes(recipe, "cpu", 3) == 3
    assert choose_processes(recipe, "cuda", None) == 1
    assert choose_processes(RECIPES["course"], "cpu", None) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_does_not_exist_is_named() -> None:
    assert choose_device("cpu") == "cpu"
    with pytest.raises(MnistError, match="no cuda device here"):
        choose_device("cuda")


def test_a_worker_that_fails_is_reported_with_its_last_stderr_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "_TIMEOUT", timedelta(seconds=4))
    raises = pytest.raises(MnistError, match=r"ended early .*last stderr line: error: .*fly")
    with raises, distributed.start_workers(1, 1, ["fly"]), distributed.join_process_group("cpu"):
        pytest.fail("met nobody")


def test_under_torchrun_a_finished_run_is_kept_and_reported_once(finished_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished_run, tmp_path / "run"))
    before = (copy / "model.pt").read_bytes()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "mnist"]
    arguments = ["train", "--keep-finished", "--output", str(copy)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("accuracy after epoch 1: ") == 1
    assert (copy / "model.pt").read_bytes() == before
