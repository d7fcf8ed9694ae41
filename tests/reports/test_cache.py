import pytest

from backprop.errors import BackpropError
from reports.cache import digest, load, load_or_make


def test_a_key_tells_where_one_part_ends():
    assert len({digest(parts) for parts in ([b"ab"], [b"a", b"b"], [b"", b"ab"], [b"b", b"a"])}) == 4


def test_made_once_for_each_key_and_only_the_last_is_load(tmp_path):
    made = []

    def make():
        made.append(1)
        return b"%d" % len(made)

    assert load(tmp_path, "thing.png", "k1") is None
    assert [load_or_make(tmp_path, "thing.png", key, make) for key in ("k1", "k1", "k2", "k2", "k1")] == [
        b"1",
        b"1",
        b"2",
        b"2",
        b"3",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["thing-k1.png"]


def test_what_could_not_be_made_leaves_the_last_one(tmp_path):
    load_or_make(tmp_path, "thing.png", "k1", lambda: b"good")

    def fails():
        raise ValueError

    with pytest.raises(ValueError):
        load_or_make(tmp_path, "thing.png", "k2", fails)
    assert load(tmp_path, "thing.png", "k1") == b"good"


def test_what_could_not_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    load_or_make(tmp_path, "thing.png", "k1", lambda: b"good")

    def full(path, content):
        raise BackpropError("no space")

    monkeypatch.setattr("reports.cache.write_file", full)
    with pytest.raises(BackpropError):
        load_or_make(tmp_path, "thing.png", "k2", lambda: b"new")
    assert load(tmp_path, "thing.png", "k1") == b"good"
