"""Records: what is written comes back, and nothing else is read."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.errors import BackpropError
from backprop.records import read_record, write_record


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
        ({"sums": {"a": 1}}, "sums"),
    ],
)
def test_a_field_that_does_not_fit_is_named(tmp_path: Path, change: dict[str, object], named: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(GOOD))
    assert read_record(Outer, path, "")
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(BackpropError, match=named):
        read_record(Outer, path, "")


def test_what_a_newer_version_added_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(GOOD))
    expected = read_record(Outer, path, "")
    path.write_text(json.dumps({**GOOD, "added": 1}))
    assert read_record(Outer, path, "") == expected


def test_what_an_earlier_version_wrote_is_upgraded_first(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps({**{name: value for name, value in GOOD.items() if name != "share"}, "part": 0.25}))
    with pytest.raises(BackpropError, match="share"):
        read_record(Outer, path, "")
    assert read_record(Outer, path, "", lambda old: {**old, "share": old["part"]}).share == 0.25


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b"{", b"\xff\xfe", b"[" * 100_000, json.dumps(GOOD).encode()[:40]]
)
def test_damaged_json_is_one_line_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(BackpropError, match=r"record\.json is damaged .*: do this$") as caught:
        read_record(Outer, path, "do this")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BackpropError, match="does not exist: do this"):
        read_record(Outer, tmp_path / "none.json", "do this")
    with pytest.raises(BackpropError, match="can't be read"):
        read_record(Outer, tmp_path, "do this")
