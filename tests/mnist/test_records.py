"""Records: their contract, damage, names of earlier versions, and reading them without torch."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from backprop.errors import BackpropError
from backprop.records import write_record
from mnist.bench import read_benchmarks
from mnist.idx import MD5_SUMS
from mnist.records import read_evaluation, read_history, read_weights, update_names
from mnist.study import read_studies

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


OLD = Path(__file__).parent / "records_0.1.0"
"""Written by version 0.1.0; every number of the recipe that has another name since differs from the others."""


def test_a_history_of_version_0_1_0_is_read() -> None:
    history = read_history(OLD / "history.json")
    recipe = history.recipe
    assert (recipe.ghost_batch_size, recipe.crop_size, recipe.crop_epoch_fraction) == (16, 20, 0.4)
    assert (recipe.hard_example_fraction, recipe.easy_example_fraction) == (0.25, 0.15)
    assert (recipe.full_epochs_at_start, recipe.full_epochs_at_end, recipe.muon_learning_rate) == (1, 2, 0.04)
    assert [record.test_accuracy for record in history.epochs] == [0.116, 0.421, 0.905, 0.944]
    assert history.finished


def test_results_of_version_0_1_0_are_read() -> None:
    weights, evaluation = read_weights(OLD / "weights.json"), read_evaluation(OLD / "evaluation.json")
    assert (weights.mean, weights.std, weights.epsilon) == (0.1307, 0.3081, 1e-5)
    assert (evaluation.correct, len(evaluation.misclassified), len(evaluation.samples)) == (9944, 1, 1)
    (study,) = read_studies(OLD)
    assert study.recipe == read_history(OLD / "history.json").recipe
    assert study.summary.std == pytest.approx(statistics.stdev(result.accuracy for result in study.results))
    benchmarks = read_benchmarks(OLD)
    assert benchmarks.epochs and benchmarks.race
    assert [cost.image_size for cost in benchmarks.epochs.costs] == [28, 20]
    assert benchmarks.race.ratio == 10.0


def test_names_of_today_are_left_alone(finished_run: Path) -> None:
    content = json.loads((finished_run / "history.json").read_text())
    assert update_names(content) == content
