"""Atomic writes and checked reading."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist.errors import MnistError
from mnist.files import check_writable, from_plain, read_record, write_atomically, write_record


@dataclass(frozen=True)
class Inner:
    name: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    share: float
    maybe: int | None
    yes: bool
    inner: tuple[Inner, ...]
    sums: dict[str, str]


inners = st.builds(Inner, st.text(), st.lists(st.integers()).map(tuple))
outers = st.builds(
    Outer,
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(),
    st.booleans(),
    st.lists(inners).map(tuple),
    st.dictionaries(st.text(), st.text()),
)


@given(outers)
def test_a_record_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, record: Outer) -> None:
    path = tmp_path_factory.getbasetemp() / "record.json"
    write_record(path, record)
    assert read_record(Outer, path, "") == record


GOOD = {"share": 0.5, "maybe": None, "yes": True, "inner": [{"name": "a", "sizes": [1, 2]}], "sums": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"share": "0.5"}, "share"),
        ({"share": True}, "share"),
        ({"maybe": 1.5}, "maybe"),
        ({"yes": 1}, "yes"),
        ({"inner": {}}, "inner"),
        ({"inner": [3]}, "inner"),
        ({"inner": [{"name": "a"}]}, "sizes"),
        ({"inner": [{"name": "a", "sizes": [1, "2"]}]}, "sizes"),
        ({"sums": {"a": 1}}, "sums.a"),
    ],
)
def test_a_field_that_does_not_fit_is_named(change: dict[str, object], named: str) -> None:
    assert from_plain(Outer, GOOD)
    with pytest.raises(ValueError, match=named):
        from_plain(Outer, {**GOOD, **change})


def test_what_a_newer_version_added_is_left_out() -> None:
    assert from_plain(Outer, {**GOOD, "added": 1}) == from_plain(Outer, GOOD)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b"{", b"\xff\xfe", b"[" * 100_000, json.dumps(GOOD).encode()[:40]]
)
def test_damaged_json_is_one_line_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(MnistError, match=r"record\.json is damaged .*: do this$") as caught:
        read_record(Outer, path, "do this")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MnistError, match="does not exist: do this"):
        read_record(Outer, tmp_path / "none.json", "do this")
    with pytest.raises(MnistError, match="can't be read"):
        read_record(Outer, tmp_path, "do this")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MnistError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_written_is_found_out_early(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MnistError, match="choose another folder"):
        check_writable(tmp_path / "file" / "folder")
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
