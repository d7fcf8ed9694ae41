"""That the benchmark measures both recipes; how fast they are is for `make bench` on a quiet machine."""

from pathlib import Path

import pytest

from mnist import bench
from mnist.data import Dataset


def test_both_recipes_are_measured(data_folder: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ROUNDS", 1), ("WARM_UP", 1), ("STEPS_PER_ROUND", 2)):
        monkeypatch.setattr(bench, name, value)
    seconds = bench.seconds_per_epoch(data_folder, dataset)
    assert all(0 < value < 3600 for value in seconds.values())
    text = bench.describe(seconds)
    assert f"{seconds['course']:.1f} s" in text
    assert "share of the course" in text
