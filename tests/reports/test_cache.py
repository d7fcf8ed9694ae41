import pytest

from backprop.errors import BackpropError
from reports.cache import cached, digest, kept


def test_a_key_tells_where_one_part_ends():
    assert len({digest(parts) for parts in ([b"ab"], [b"a", b"b"], [b"", b"ab"], [b"b", b"a"])}) == 4


def test_made_once_for_each_key_and_only_the_last_is_kept(tmp_path):
    made = []

    def make():
        made.append(1)
        return b"%d" % len(made)

    assert kept(tmp_path, "thing.png", "k1") is None
    assert [cached(tmp_path, "thing.png", key, make) for key in ("k1", "k1", "k2", "k2", "k1")] == [
        b"1",
        b"1",
        b"2",
        b"2",
        b"3",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["thing-k1.png"]


def test_what_could_not_be_made_leaves_the_last_one(tmp_path):
    cached(tmp_path, "thing.png", "k1", lambda: b"good")

    def fails():
        raise ValueError

    with pytest.raises(ValueError):
        cached(tmp_path, "thing.png", "k2", fails)
    assert kept(tmp_path, "thing.png", "k1") == b"good"


def test_what_could_not_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    cached(tmp_path, "thing.png", "k1", lambda: b"good")

    def full(path, content):
        raise BackpropError("no space")

    monkeypatch.setattr("reports.cache.write_file", full)
    with pytest.raises(BackpropError):
        cached(tmp_path, "thing.png", "k2", lambda: b"new")
    assert kept(tmp_path, "thing.png", "k1") == b"good"
