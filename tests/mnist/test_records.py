"""history.json: its contract, damage, and reading it without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from backprop.errors import BackpropError
from backprop.records import write_record
from mnist.idx import MD5_SUMS
from mnist.records import read_history

CONTRACT = {"epoch", "learning_rate", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds"}


def test_the_file_keeps_its_contract(finished_run: Path) -> None:
    content = json.loads((finished_run / "history.json").read_text())
    assert {"epochs", "recipe", "seed", "versions", "hardware", "data"} <= set(content)
    assert all(set(record) >= CONTRACT for record in content["epochs"])
    assert [record["epoch"] for record in content["epochs"]] == [1]
    assert content["data"] == MD5_SUMS


def test_it_names_what_computed(finished_run: Path) -> None:
    history = read_history(finished_run / "history.json")
    assert history.versions.torch == torch.__version__.partition("+")[0]
    assert history.versions.numpy == np.__version__
    assert history.hardware.threads == torch.get_num_threads()
    assert history.hardware.cpu


def test_it_comes_back_as_it_was(finished_run: Path, tmp_path: Path) -> None:
    history = read_history(finished_run / "history.json")
    write_record(tmp_path / "history.json", history)
    assert read_history(tmp_path / "history.json") == history


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.98])
def test_half_a_file_names_the_target(finished_run: Path, tmp_path: Path, share: float) -> None:
    content = (finished_run / "history.json").read_text()
    (tmp_path / "history.json").write_text(content[: int(len(content) * share)])
    with pytest.raises(BackpropError, match=r"history\.json is damaged .*run `make train`"):
        read_history(tmp_path / "history.json")


def test_a_missing_file_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(BackpropError, match="does not exist: run `make train`"):
        read_history(tmp_path / "history.json")


def test_records_are_read_without_torch() -> None:
    code = "import sys, mnist.records, mnist.study, mnist.bench, mnist.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
