import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backprop.errors import OutputError
from backprop.files import temporary_path
from reports.files import write_folder


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the folder `handin`, and returns the names of what was changed by hand."""
    return lambda files: write_folder(tmp_path / "handin", files, tmp_path / ".cache" / "handin.json").changed


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_replaces_the_old_one_whole(tmp_path, write):
    assert write({"a.txt": b"1", "pictures/b.png": b"2"}) == ()
    assert write({"c.txt": b"3"}) == ()
    assert contents(tmp_path / "handin") == {"c.txt": b"3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cache", "handin"]


def test_what_others_put_there_stays(tmp_path, write):
    write({"a.txt": b"1", "pictures/b.png": b"2"})
    theirs = {".git/config": b"x", "mine.txt": b"y", "pictures/own.png": b"z"}
    for name, content in theirs.items():
        (tmp_path / "handin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "handin" / name).write_bytes(content)
    (tmp_path / "handin" / ".git" / "refs").mkdir()
    (tmp_path / "handin" / "link").symlink_to("nowhere")
    assert write({"a.txt": b"2"}) == ()
    assert contents(tmp_path / "handin") == {"a.txt": b"2", **theirs}
    assert (tmp_path / "handin" / ".git" / "refs").is_dir()
    assert (tmp_path / "handin" / "link").is_symlink()


def test_what_was_changed_by_hand_stays_beside_the_new(tmp_path, write):
    write({"README.md": b"ours", "pictures/b.png": b"2", "same": b"1"})
    (tmp_path / "handin" / "README.md").write_bytes(b"with my name")
    (tmp_path / "handin" / "pictures" / "b.png").write_bytes(b"painted over")
    assert write({"README.md": b"newer", "same": b"1"}) == ("README.yours.md", "pictures/b.yours.png")
    expected = {"README.md": b"newer", "README.yours.md": b"with my name", "same": b"1"}
    assert contents(tmp_path / "handin") == {**expected, "pictures/b.yours.png": b"painted over"}
    # Once only: what is kept is not ours, and the new file is as it was written.
    assert write({"README.md": b"newest", "same": b"1"}) == ()
    assert (tmp_path / "handin" / "README.yours.md").read_bytes() == b"with my name"
    (tmp_path / "handin" / "README.md").write_bytes(b"again")
    assert write({"README.md": b"last"}) == ("README.yours1.md",)
    assert (tmp_path / "handin" / "README.yours1.md").read_bytes() == b"again"
    assert (tmp_path / "handin" / "README.yours.md").read_bytes() == b"with my name"


@pytest.mark.parametrize("record", [None, b"no JSON", b"[1]", b"null"])
def test_without_a_record_nothing_is_thrown_away(tmp_path, write, record):
    write({"README.md": b"1"})
    place = tmp_path / ".cache" / "handin.json"
    place.unlink() if record is None else place.write_bytes(record)
    assert write({"README.md": b"2"}) == ("README.yours.md",)


def test_a_failure_leaves_the_old_folder(tmp_path, write):
    write({"a.txt": b"1"})
    (tmp_path / "handin" / "mine.txt").write_bytes(b"mine")
    with pytest.raises(OutputError, match="--output"):
        write({"a.txt": b"2", "a.txt/b": b"3"})
    assert contents(tmp_path / "handin") == {"a.txt": b"1", "mine.txt": b"mine"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cache", "handin"]


def test_an_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError, match=r"can't be written .*--output"):
        write_folder(tmp_path / "file" / "handin", {"a": b""}, tmp_path / "record")
    assert (tmp_path / "file").read_text() == "kept"


def killed_at(rename, folder, swap):
    """Write a folder in a process that is killed before its n-th rename, or exchange; return whether it was."""
    code = f"""
import itertools, os, pathlib, signal, sys
from reports import files
count = itertools.count(1)
def dying(function):
    def call(*arguments):
        if next(count) == {rename}:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
pathlib.Path.rename, pathlib.Path.replace = dying(pathlib.Path.rename), dying(pathlib.Path.replace)
files._swap = dying(files._swap) if {swap} else lambda *_: False
files.write_folder(pathlib.Path(sys.argv[1]), {{"README.md": b"new"}}, pathlib.Path(sys.argv[1]).parent / "record")
"""
    done = subprocess.run([sys.executable, "-c", code, folder], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


@pytest.mark.parametrize("swap", [True, False], ids=["exchanged at once", "renamed twice"])
def test_killed_at_any_rename_nothing_of_the_readers_is_lost(tmp_path, swap):
    renames = 0
    while True:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        write_folder(tmp_path / "handin", {"README.md": b"old"}, tmp_path / "record")
        (tmp_path / "handin" / "mine.txt").write_bytes(b"mine")
        if not killed_at(renames + 1, tmp_path / "handin", swap):
            break
        renames += 1
        if swap:
            assert (tmp_path / "handin" / "mine.txt").read_bytes() == b"mine"
        gone = not (tmp_path / "handin").exists()
        written = write_folder(tmp_path / "handin", {"README.md": b"newer"}, tmp_path / "record")
        assert written.restored == gone
        assert contents(tmp_path / "handin")["mine.txt"] == b"mine"
        assert contents(tmp_path / "handin")["README.md"] == b"newer"
    assert renames == (2 if swap else 3)  # the record's own is the last one


def test_this_system_exchanges_folders_at_once(tmp_path, write, monkeypatch):
    write({"a": b"1"})
    before = (tmp_path / "handin").stat().st_ino
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("the folder was gone for a moment"))
    write({"a": b"2"})
    assert (tmp_path / "handin").stat().st_ino != before
    assert contents(tmp_path / "handin") == {"a": b"2"}


def test_a_link_to_a_folder_stays(tmp_path, write):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "handin").symlink_to(tmp_path / "elsewhere")
    write({"a": b"1"})
    assert (tmp_path / "handin").is_symlink()
    assert contents(tmp_path / "elsewhere") == {"a": b"1"}


def test_a_readers_file_in_a_work_folder_is_never_removed(tmp_path, write):
    rest = temporary_path(tmp_path / "handin")
    (rest / "old").mkdir(parents=True)
    (rest / "old" / "mine.txt").write_bytes(b"mine")
    os.utime(rest, (time.time() - 2 * 24 * 60 * 60,) * 2)
    (tmp_path / "handin").mkdir()
    write({"a": b"1"})
    assert (rest / "old" / "mine.txt").read_bytes() == b"mine"


def test_a_link_in_place_of_our_file_stays_beside_it(tmp_path, write):
    write({"README.md": b"ours"})
    (tmp_path / "handin" / "README.md").unlink()
    (tmp_path / "handin" / "README.md").symlink_to("nowhere")
    assert write({"README.md": b"newer"}) == ("README.yours.md",)
    assert (tmp_path / "handin" / "README.yours.md").is_symlink()
    assert (tmp_path / "handin" / "README.md").read_bytes() == b"newer"


def test_the_folder_keeps_its_permissions(tmp_path, write):
    write({"a": b"1"})
    (tmp_path / "handin").chmod(0o700)
    write({"a": b"2"})
    assert (tmp_path / "handin").stat().st_mode & 0o777 == 0o700


def test_work_folders_of_killed_processes_go_a_day_later(tmp_path, write):
    rest = temporary_path(tmp_path / "handin")
    (rest / "new").mkdir(parents=True)
    write({"a": b"1"})
    assert rest.exists()
    os.utime(rest, (time.time() - 2 * 24 * 60 * 60,) * 2)
    write({"a": b"1"})
    assert not rest.exists()
