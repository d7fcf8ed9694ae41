"""Several seeds: the figures against scipy, and a study that goes on where it stopped."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
from scipy import stats

from backprop.errors import BackpropError
from backprop.records import write_record
from mnist import study
from mnist.cli import main
from mnist.data import Dataset
from mnist.records import read_history
from mnist.study import SeedResult, summarise, summarise_run


def seed_result(seed: int, accuracy: float, to_goal: float | None) -> SeedResult:
    return SeedResult(seed, accuracy, 0.02, 100.0 + seed, to_goal, None if to_goal is None else 5)


RESULTS = [seed_result(0, 0.9941, 80.0), seed_result(1, 0.9952, 60.0), seed_result(2, 0.9939, None)]


def test_mean_spread_and_interval_are_scipys() -> None:
    summary, values = summarise(RESULTS), [result.accuracy for result in RESULTS]
    assert summary.mean == pytest.approx(stats.tmean(values), rel=1e-12)
    assert summary.std == pytest.approx(stats.tstd(values), rel=1e-9)
    expected = stats.t.interval(0.95, len(values) - 1, loc=stats.tmean(values), scale=stats.sem(values))
    assert summary.interval == pytest.approx(expected, rel=1e-9)
    assert (summary.lowest, summary.highest, summary.seeds) == (0.9939, 0.9952, 3)


def test_a_seed_that_never_got_there_counts_as_the_slowest() -> None:
    assert summarise(RESULTS).median_seconds_to_goal == 80.0
    assert (summarise(RESULTS).reached_goal, summarise(RESULTS).at_goal) == (2, 2)
    two_late = [RESULTS[0], RESULTS[2], dataclasses.replace(RESULTS[2], seed=3)]
    assert summarise(two_late).median_seconds_to_goal is None
    assert "to 99.4 % never" in " ".join(study.sentences(summarise(two_late)))


def test_a_single_seed_has_no_spread() -> None:
    summary = summarise(RESULTS[:1])
    assert summary.std is None and summary.interval is None
    assert "standard deviation" not in " ".join(study.sentences(summary))


def test_the_way_to_the_goal_is_counted_to_the_first_epoch_that_gets_there(finished_run: Path) -> None:
    history = read_history(finished_run / "history.json")
    record = history.epochs[0]
    shares = (0.9, 0.9939, 0.994, 0.9939)
    epochs = tuple(
        dataclasses.replace(record, epoch=n, test_accuracy=share, seconds=float(n)) for n, share in enumerate(shares, 1)
    )
    found = summarise_run(dataclasses.replace(history, epochs=epochs))
    assert (found.epochs_to_goal, found.seconds_to_goal, found.seconds) == (3, 6.0, 10.0)
    assert found.accuracy == 0.9939


def test_a_study_goes_on_where_it_stopped(
    tmp_path: Path, part: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mnist.run.load", lambda _: part)
    command = [
        "study",
        "--recipe",
        "fast",
        "--epochs",
        "1",
        "--processes",
        "1",
        "--threads",
        "1",
        "--output",
        str(tmp_path),
    ]
    assert main([*command, "--seeds", "1"]) == 0
    first = (tmp_path / "study" / "fast" / "seed-0" / "model.pt").read_bytes()
    assert main([*command, "--seeds", "2"]) == 0
    assert (tmp_path / "study" / "fast" / "seed-0" / "model.pt").read_bytes() == first
    shown = capsys.readouterr().out
    assert "last epoch, n = 2: mean" in shown
    (found,) = study.read_studies(tmp_path)
    assert [result.seed for result in found.results] == [0, 1]
    assert math.isclose(found.summary.mean, sum(r.accuracy for r in found.results) / 2)
    assert main([*command, "--seeds", "2", "--learning-rate", "0.2"]) == 2
    assert "holds a run with other settings" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_damaged_study_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "fast.json").write_text(content)
    with pytest.raises(BackpropError, match=r"fast\.json .*mnist study"):
        study.read_studies(tmp_path)


def test_a_study_on_held_out_images_is_no_result(tmp_path: Path, finished_run: Path) -> None:
    history = dataclasses.replace(read_history(finished_run / "history.json"), measured_on="held-out")
    found = study.make_study([history])
    assert "held-out images" in study.describe(found)
    write_record(study.study_file(tmp_path, "fast"), found)
    with pytest.raises(BackpropError, match="no result"):
        study.read_studies(tmp_path)


def test_a_study_whose_seeds_do_not_add_up_is_refused(tmp_path: Path, finished_run: Path) -> None:
    history = read_history(finished_run / "history.json")
    path = study.study_file(tmp_path, "fast")
    write_record(path, study.make_study([history]))
    record = json.loads(path.read_text())
    record["results"] = []
    path.write_text(json.dumps(record))
    with pytest.raises(BackpropError, match="don't add up"):
        study.read_studies(tmp_path)
