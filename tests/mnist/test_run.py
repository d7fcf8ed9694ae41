"""Runs on disk: interrupted and resumed, kept, moved aside, refused."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bits import assert_same_bits
from old_checkpoints import write_as_version_0_1_0
from shared import shared_folder

from backprop.errors import BackpropError
from mnist import checkpoint, run
from mnist.data import Dataset
from mnist.machine import hardware
from mnist.progress import EpochBar, Progress, Reporter, RunBars
from mnist.recipe import Recipe
from mnist.records import EpochRecord, History, read_history
from mnist.run import ExistingRunPolicy, RunSettings


class Interrupting(Reporter):
    """Behaves like a user who presses Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.last = epoch

    @contextmanager
    def run(self, history: History, images: int) -> Iterator[RunBars]:
        with super().run(history, images) as bars:
            yield InterruptingBars(bars, self.last)


class InterruptingBars(RunBars):
    def __init__(self, bars: RunBars, last: int) -> None:
        self.bars, self.last = bars, last

    @contextmanager
    def epoch(self, epoch: int) -> Iterator[EpochBar]:
        with self.bars.epoch(epoch) as bar:
            yield InterruptingBar(bar.bar, bar.run, bar.before, bar.per_image) if epoch == self.last else bar


class InterruptingBar(EpochBar):
    def show(self, progress: Progress) -> None:
        super().show(progress)
        if progress.images > 300:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def settings(tiny: Recipe) -> RunSettings:
    return RunSettings("accurate", tiny, seed=3)


@pytest.fixture(scope="module")
def whole(settings: RunSettings, part: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run of `settings`; not to be changed."""
    return shared_folder(tmp_path_factory, "whole", lambda folder: go(folder, settings, part))


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    """A copy of `whole` for one test."""
    return Path(shutil.copytree(whole, tmp_path / "copied"))


def go(
    folder: Path, settings: RunSettings, dataset: Dataset, reporter: Reporter | None = None, **policy: bool
) -> History:
    """Do what the command does."""
    reporter = reporter or Reporter()
    found = run.find_run(folder, settings, ExistingRunPolicy(**policy), reporter)
    machine = hardware(processes=1, threads=1, device="cpu", precision=settings.recipe.precision)
    return run.train(run.begin(settings, found, machine), dataset, folder, reporter)


def timeless(history: History) -> History:
    return dataclasses.replace(
        history, epochs=tuple(dataclasses.replace(record, seconds=0.0) for record in history.epochs)
    )


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_interrupted_and_resumed_is_uninterrupted_to_the_bit(
    tmp_path: Path, whole: Path, part: Dataset, settings: RunSettings, epoch: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, settings, part, Interrupting(epoch))
    assert_ends_as(whole, tmp_path, go(tmp_path, settings, part))


def assert_ends_as(whole: Path, resumed: Path, history: History) -> None:
    assert timeless(history) == timeless(read_history(whole / "history.json"))
    one, other = (checkpoint.load(folder / "model.pt") for folder in (whole, resumed))
    assert_same_bits(one.states, other.states)


def test_an_unfinished_run_of_version_0_1_0_ends_with_the_same_bits(
    tmp_path: Path, whole: Path, part: Dataset, settings: RunSettings
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, settings, part, Interrupting(3))
    write_as_version_0_1_0(tmp_path / "model.pt", checkpoint.load(tmp_path / "model.pt"))
    assert_ends_as(whole, tmp_path, go(tmp_path, settings, part))


def test_another_seed_gives_another_run(tmp_path: Path, whole: Path, part: Dataset, settings: RunSettings) -> None:
    other = go(tmp_path, dataclasses.replace(settings, seed=4), part)
    assert timeless(read_history(whole / "history.json")).epochs != timeless(other).epochs


def test_history_is_rewritten_from_the_checkpoint(whole: Path, copied: Path, settings: RunSettings) -> None:
    (copied / "history.json").write_text('{"epochs": [')
    found = run.find_run(copied, settings, ExistingRunPolicy(keep_finished=True), Reporter())
    assert found
    run.keep(copied, found)
    assert read_history(copied / "history.json") == read_history(whole / "history.json")


def test_a_finished_run_is_kept_on_request_and_differences_are_named(
    copied: Path, settings: RunSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (copied / "model.pt").read_bytes()
    asked = RunSettings("accurate", dataclasses.replace(settings.recipe, epochs=2), seed=9)
    assert run.find_run(copied, asked, ExistingRunPolicy(keep_finished=True), Reporter())
    assert "with seed 3 (asked for: 9), epochs 3 (asked for: 2)" in capsys.readouterr().err
    assert (copied / "model.pt").read_bytes() == content


def test_a_finished_run_is_moved_aside_by_the_next(tmp_path: Path, part: Dataset, settings: RunSettings) -> None:
    one_epoch = dataclasses.replace(settings, recipe=dataclasses.replace(settings.recipe, epochs=1))
    for count in (0, 1, 2):
        go(tmp_path, one_epoch, part)
        (tmp_path / "evaluation.json").write_text(f"of run {count}")
        assert sorted(path.name for path in (tmp_path / "earlier").glob("*")) == [str(i + 1) for i in range(count)]
    assert (tmp_path / "earlier" / "2" / "evaluation.json").read_text() == "of run 1"
    assert checkpoint.load(tmp_path / "earlier" / "1" / "model.pt").history.finished


def test_an_unfinished_run_with_other_settings_is_refused_and_can_be_restarted(
    tmp_path: Path, part: Dataset, settings: RunSettings
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, settings, part, Interrupting(2))
    other = dataclasses.replace(settings, seed=8)
    for policy in (ExistingRunPolicy(), ExistingRunPolicy(keep_finished=True)):
        with pytest.raises(BackpropError, match=r"unfinished run with seed 3 \(asked for: 8\): .*--restart"):
            run.find_run(tmp_path, other, policy, Reporter())
    assert go(tmp_path, other, part, restart=True).seed == 8
    assert len(checkpoint.load(tmp_path / "earlier" / "1" / "model.pt").history.epochs) == 1


def test_a_run_on_held_out_images_is_marked_and_has_a_folder_of_its_own(
    tmp_path: Path, part: Dataset, settings: RunSettings
) -> None:
    assert run.run_folder(tmp_path, held_out=True) != run.run_folder(tmp_path, held_out=False)
    held_out = dataclasses.replace(settings, held_out=True)
    assert go(tmp_path, held_out, part).measured_on == "held-out"
    # Copied to where results lie, it still counts as something else.
    assert run.list_differences(read_history(tmp_path / "history.json"), settings) == [
        "measured on held-out (asked for: test)"
    ]


def test_a_loss_that_is_no_number_leaves_the_last_good_files(
    tmp_path: Path, part: Dataset, settings: RunSettings
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, settings, part, Interrupting(2))
    before = (tmp_path / "model.pt").read_bytes()
    found = checkpoint.load(tmp_path / "model.pt")
    found.states["network"]["conv1.weight"].fill_(float("nan"))
    with pytest.raises(BackpropError, match="the loss became nan in epoch 2"):
        run.train(run.RunState(found.history, found.states), part, tmp_path, Reporter())
    assert (tmp_path / "model.pt").read_bytes() == before
    assert len(read_history(tmp_path / "history.json").epochs) == 1


def test_a_damaged_checkpoint_is_never_overwritten_unasked(
    tmp_path: Path, part: Dataset, settings: RunSettings
) -> None:
    (tmp_path / "model.pt").write_bytes(b"precious")
    with pytest.raises(BackpropError, match="damaged"):
        go(tmp_path, settings, part)
    assert (tmp_path / "model.pt").read_bytes() == b"precious"
    go(tmp_path, settings, part, restart=True)
    assert (tmp_path / "earlier" / "1" / "model.pt").read_bytes() == b"precious"


def test_what_a_killed_move_left_behind_ends_up_together(tmp_path: Path, part: Dataset, settings: RunSettings) -> None:
    (tmp_path / "earlier" / "1").mkdir(parents=True)
    (tmp_path / "earlier" / "1" / "history.json").write_text("moved already")
    (tmp_path / "model.pt").write_bytes(b"not yet")
    go(tmp_path, settings, part, restart=True)
    assert {path.name for path in (tmp_path / "earlier" / "1").iterdir()} == {"history.json", "model.pt"}


def test_a_folder_that_cannot_be_written_is_named_before_training(
    tmp_path: Path, part: Dataset, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    trained: Callable[..., Any] = lambda *_: pytest.fail("trained in vain")  # noqa: E731
    monkeypatch.setattr("mnist.training.Training.run_epoch", trained)
    with pytest.raises(BackpropError, match="can't be written"):
        go(tmp_path / "file", settings, part)


class Colliding(Reporter):
    """Starts a second training in the same folder after an epoch of the first."""

    def __init__(self, start: Callable[[], History]) -> None:
        super().__init__()
        self.start = start

    def epoch_done(self, record: EpochRecord, history: History) -> None:
        with pytest.raises(BackpropError, match="another training is at work in"):
            self.start()
        super().epoch_done(record, history)


def test_two_trainings_do_not_share_a_folder(tmp_path: Path, part: Dataset, settings: RunSettings) -> None:
    one_epoch = dataclasses.replace(settings, recipe=dataclasses.replace(settings.recipe, epochs=1))
    go(tmp_path, one_epoch, part, Colliding(lambda: go(tmp_path, one_epoch, part, restart=True)))
    assert not (tmp_path / "earlier").exists()
