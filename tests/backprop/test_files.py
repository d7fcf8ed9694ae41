"""Writing files: the old one or the new one, whatever happens, and nothing beside it."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backprop.errors import OutputError
from backprop.files import check_writable, temporary_path, write_file

TWO_DAYS = 2 * 24 * 60 * 60


@pytest.fixture
def umask():
    """Return a function that sets the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_a_file_is_written_with_its_folder_and_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "η.bin"
    for content in (b"first", b"second"):
        write_file(path, content)
        assert path.read_bytes() == content
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_of_the_umask(tmp_path, umask, mask, mode):
    umask(mask)
    write_file(tmp_path / "file", b"")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_an_existing_file_keeps_its_permissions(tmp_path, umask):
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    write_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file", tmp_path / "link"
    link.symlink_to(target)
    for content in (b"made", b"replaced"):
        write_file(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert [entry.name for entry in target.parent.iterdir()] == ["file"]


def test_a_device_is_written_through_and_stays():
    write_file(Path("/dev/null"), b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OutputError, match="No space left on device"):
        write_file(Path("/dev/full"), b"too much")


def test_a_pipe_is_written_through(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        write_file(tmp_path / "pipe", b"through")
        assert reader.communicate()[0] == b"through"


def test_a_planted_link_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda _: "0123456789abcdef")
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    temporary_path(tmp_path / "file").symlink_to(victim)
    with pytest.raises(OutputError, match="File exists"):
        write_file(tmp_path / "file", b"new")
    assert victim.read_bytes() == b"kept"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    write_file(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if call == "fsync" else Path, call, fail)
    with pytest.raises(OutputError, match=r"file can't be written \(No space left on device\): [^\n]+$"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_its_place_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="it is a folder"):
        write_file(tmp_path, b"")
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name_is_written(tmp_path):
    write_file(tmp_path / ("η" * 127), b"x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_killed_process_leaves_the_old_file_and_its_rest_goes_a_day_later(tmp_path):
    path = tmp_path / "file"
    write_file(path, b"old")
    code = (
        "import os, pathlib, signal, sys; from backprop.files import write_file\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_file(pathlib.Path(sys.argv[1]), b'new')"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (rest,) = set(tmp_path.iterdir()) - {path}
    write_file(path, b"newer")
    assert rest.exists()  # it may be another process's, still at work
    os.utime(rest, (time.time() - TWO_DAYS,) * 2)
    write_file(path, b"newest")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_only_what_is_ours_stale_and_unlocked_is_swept(tmp_path):
    old = (time.time() - TWO_DAYS,) * 2
    locked, folder = temporary_path(tmp_path / "a"), temporary_path(tmp_path / "b")
    theirs = [tmp_path / ".notes.backprop-part", tmp_path / ".a.0123456789abcdeX.backprop-part", tmp_path / "a.part"]
    folder.mkdir()
    for path in (locked, *theirs):
        path.write_bytes(b"kept")
    for path in (locked, folder, *theirs):
        os.utime(path, old)
    with locked.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_file(tmp_path / "file", b"")
    assert {locked, folder, *theirs} < set(tmp_path.iterdir())
    write_file(tmp_path / "file", b"")
    assert not locked.exists()
    assert {folder, *theirs} < set(tmp_path.iterdir())


def test_whether_a_folder_can_be_written_is_tried_without_following_links(tmp_path):
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".writable").symlink_to(tmp_path / "victim")
    check_writable(tmp_path / "folder")
    assert (tmp_path / "victim").read_bytes() == b"kept"


def test_a_folder_that_cannot_be_written_is_found_out_early(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be written"):
        check_writable(tmp_path / "file" / "folder")
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
