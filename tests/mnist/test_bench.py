"""That the benchmark measures both recipes; how fast they are is for `make bench` on a quiet machine."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from backprop.errors import BackpropError
from backprop.records import write_record
from mnist import bench
from mnist.bench import Race, Races, describe_epochs, describe_race, read_benchmarks
from mnist.model import count_multiply_adds
from mnist.records import History, read_history


@pytest.fixture(autouse=True)
def small_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_MATRIX", 256)


@pytest.fixture
def trained(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """Let trainings that are to be timed end at once, with two epochs of known length."""
    history = read_history(finished_run / "history.json")
    first, second = (
        dataclasses.replace(history.epochs[0], epoch=n, seconds=10.0 * n, test_accuracy=0.99 + 0.0025 * n)
        for n in (1, 2)
    )
    found = dataclasses.replace(history, epochs=(first, second))

    def train(data: Path, arguments: list[str]) -> History:
        if "--epochs=2" in arguments:  # to be timed: every epoch sees all images, and no average is kept
            assert {"--hard-example-fraction=1", "--crop-epoch-fraction=0.5", "--averaging-start=1"} <= set(arguments)
        return found

    monkeypatch.setattr(bench, "_train", train)
    return found


@pytest.mark.usefixtures("trained")
def test_both_recipes_are_measured(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "STEPS", 2)
    monkeypatch.setattr(bench, "WARM_UP", 1)
    found = bench.measure_epochs(data_folder)
    course, small, full = found.costs
    assert 0 < course.seconds < 3600
    assert (small.seconds, small.image_size, full.seconds, full.image_size) == (10.0, 22, 20.0, 28)
    assert course.rate == pytest.approx(60_000 / course.seconds)
    text = describe_epochs(found)
    assert f"{course.seconds:.1f} s" in text
    assert "1.00 of the course's epoch" in text
    assert "GFLOP/s" in text
    write_record(tmp_path / bench.EPOCHS_FILE, found)
    assert read_benchmarks(tmp_path).epochs == found
    assert read_benchmarks(tmp_path).race is None


def test_operations_are_torchs_own_count() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from mnist.model import new_network

    for size in (22, 28):
        with FlopCounterMode(display=False) as counter:
            new_network(0).eval()(torch.zeros(1, 1, size, size))
        assert 2 * count_multiply_adds(size) == counter.get_total_flops()
        cost = bench._cost("x", 2.0, 100, size, "float32")
        assert cost.operations == pytest.approx(3 * counter.get_total_flops() * 100)
        assert cost.share == pytest.approx(cost.operations / 2.0 / cost.peak)


@pytest.mark.usefixtures("trained")
def test_a_race_ends_at_the_first_epoch_that_gets_there(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "_race_course", lambda *_: Race("course", 300.0, 17, 0.9941))
    found = bench.race(data_folder, None, lambda _: None)  # type: ignore[arg-type]
    assert found.races[1] == Race("fast", 30.0, 2, 0.995)
    assert "course took 10.0 times as long as fast" in describe_race(found)
    late = dataclasses.replace(found, races=(found.races[0], dataclasses.replace(found.races[1], accuracy=0.99)))
    assert "(99.4 % not reached)" in describe_race(late)
    assert "times as long" not in describe_race(late)
    write_record(tmp_path / bench.RACE_FILE, found)
    assert read_benchmarks(tmp_path).race == found
    empty = json.dumps({**json.loads((tmp_path / "bench-race.json").read_text()), "races": []})
    for content in ("{}", empty):
        (tmp_path / "bench-race.json").write_text(content)
        with pytest.raises(BackpropError, match=r"bench-race\.json is damaged .*make bench"):
            read_benchmarks(tmp_path)


def test_a_ratio_is_of_the_first_to_the_last() -> None:
    race = Races(None, None, (Race("course", 80.0, 17, 0.994), Race("fast", 10.0, 8, 0.995)))  # type: ignore[arg-type]
    assert race.ratio == 8.0
