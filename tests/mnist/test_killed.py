"""Trainings that are killed without warning, and what the next one makes of what they left."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from bits import assert_same_bits

from backprop.files import write_file
from mnist import checkpoint
from mnist.recipe import DEFAULT_RECIPE
from mnist.records import read_history

TESTS = Path(__file__).parents[1]
# One process that forks each training, so that torch is imported once. Slow writes make it likely that some are hit.
KILLER = """
import dataclasses, json, os, random, shutil, signal, sys, time
from pathlib import Path
sys.path[:0] = {folders!r}
from conftest import TINY
import torch
from mnist import cli, recipe
from mnist.data import Dataset, load
import mnist.run

torch.set_num_threads(1)
torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports 900 modules, which would take most of a fork's life
data = load(Path({data!r}))
part = Dataset(data.train_images[:192], data.train_labels[:192], data.test_images[:100], data.test_labels[:100])
mnist.run.load = lambda _: part
changes = dict(epochs=12, crop_size=22, crop_epoch_fraction=0.5, hard_example_fraction=0.2, easy_example_fraction=0.2,
    full_epochs_at_start=2, full_epochs_at_end=2)
recipe.RECIPES[recipe.DEFAULT_RECIPE] = dataclasses.replace(TINY, **changes)
sync = os.fsync

def slow_sync(descriptor):
    time.sleep(0.05)
    sync(descriptor)

def train(folder):
    pid = os.fork()
    if not pid:
        os.fsync = slow_sync
        sys.stdout = sys.stderr = open(os.devnull, "w")
        os._exit(cli.main(["train", "--keep-finished", "--processes", "1", "--threads", "1", "--output", folder]))
    return pid

def ended(pid):
    return os.waitpid(pid, os.WNOHANG)[0] == pid

whole, killed = sys.argv[1:]
start = time.monotonic()
assert os.waitpid(train(whole), 0)[1] == 0
epoch = (time.monotonic() - start) / 12
def finished_epochs():
    history = Path(killed, "history.json")
    return len(json.loads(history.read_text())["epochs"]) if history.exists() else 0

moments, longest, kills, resumed = random.Random(1), 1.2 * epoch, 0, 0
while kills < 20:
    before, pid = finished_epochs(), train(killed)
    time.sleep(moments.uniform(0, longest))
    if ended(pid):  # before it could be killed: the next one begins anew, with less time
        longest /= 1.5
        shutil.rmtree(killed)
        continue
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    kills += 1
    if finished_epochs() > before:
        resumed += 1
    else:
        longest *= 1.1
assert os.waitpid(train(killed), 0)[1] == 0
print(kills, resumed)
"""


def test_killed_at_twenty_moments_it_ends_with_the_bits_of_the_uninterrupted_run(
    tmp_path: Path, data_folder: Path
) -> None:
    script = tmp_path / "killer.py"
    script.write_text(KILLER.format(folders=[str(TESTS / "mnist"), str(TESTS / "helpers")], data=str(data_folder)))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = subprocess.run([sys.executable, str(script), str(whole), str(killed)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kills, resumed = map(int, done.stdout.split())
    assert kills == 20
    assert resumed >= 3  # so many were killed after an epoch that the next one goes on from
    one, other = (checkpoint.load(folder / "model.pt") for folder in (whole, killed))
    assert_same_bits(one.states, other.states)
    records = [[(r.train_loss, r.test_loss, r.test_accuracy) for r in found.history.epochs] for found in (one, other)]
    assert records[0] == records[1]
    assert read_history(killed / "history.json") == other.history
    for rest in killed.glob(".*-part"):
        os.utime(rest, (0, 0))  # as it will be a day later
    write_file(killed / "later", b"")
    assert not list(killed.glob(".*-part"))


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """List the processes that a training has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            status = (entry / "stat").read_text() if entry.name.isdigit() else ""
            command = (entry / "cmdline").read_bytes() if status else b""
        except OSError:
            continue
        if b"\0join\0" in command and int(status.rpartition(")")[2].split()[1]) == process.pid:
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_rank_0_and_ctrl_c_is_one_line(
    tmp_path: Path, data_folder: Path, number: signal.Signals
) -> None:
    command = ["train", "--processes", "2", "--data", str(data_folder), "--output", str(tmp_path / "run")]
    # Where the tests run in the background, Ctrl-C may be ignored, and children inherit that.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    line = [sys.executable, "-m", "mnist", *command]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, preexec_fn=listening) as rank_0:
        assert rank_0.stderr
        assert rank_0.stderr.readline().startswith(f"Training recipe {DEFAULT_RECIPE}, seed 0")  # all have met by then
        (worker,) = workers_of(rank_0)
        os.kill(rank_0.pid, number)
        rest = rank_0.stderr.read()
    if number == signal.SIGINT:
        assert rank_0.returncode == 130
        assert re.fullmatch(r"\ninterrupted: the same command [^\n]+ goes on [^\n]+\n", rest)
    deadline = time.monotonic() + 30
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(worker)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
def test_a_worker_that_ends_early_is_one_line(tmp_path: Path, data_folder: Path) -> None:
    command = ["train", "--processes", "2", "--data", str(data_folder), "--output", str(tmp_path / "run")]
    with subprocess.Popen([sys.executable, "-m", "mnist", *command], stderr=subprocess.PIPE, text=True) as rank_0:
        assert rank_0.stderr
        assert rank_0.stderr.readline().startswith(f"Training recipe {DEFAULT_RECIPE}")
        (worker,) = workers_of(rank_0)
        os.kill(worker, signal.SIGKILL)
        rest = rank_0.stderr.read()
    assert rank_0.returncode == 2
    assert rest.startswith("error: another process of this training ended early")
    assert rest.count("\n") == 1
