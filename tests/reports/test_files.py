import pytest

from reports.errors import ReportError
from reports.files import write_folder


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    write_folder(tmp_path / "handin", {"a.txt": b"1", "pictures/b.png": b"2"})
    write_folder(tmp_path / "handin", {"c.txt": b"3"})
    assert [path.name for path in (tmp_path / "handin").iterdir()] == ["c.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["handin"]


def test_a_failure_leaves_the_old_folder(tmp_path):
    write_folder(tmp_path / "handin", {"a.txt": b"1"})
    with pytest.raises(ReportError, match="--output"):
        write_folder(tmp_path / "handin", {"a.txt": b"2", "a.txt/b": b"3"})
    assert (tmp_path / "handin" / "a.txt").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["handin"]


def test_an_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ReportError, match=r"can't be written .*--output"):
        write_folder(tmp_path / "file" / "handin", {"a": b""})
    assert (tmp_path / "file").read_text() == "kept"
