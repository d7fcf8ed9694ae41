import io
import time
import zipfile

from reports.handin.archives import make_zip, unzip

FILES = {"b.txt": b"one", "a/ünïcode.txt": b"x" * 10_000, "empty": b""}


def test_other_readers_find_the_files_in_the_order_given():
    with zipfile.ZipFile(io.BytesIO(make_zip(FILES))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(FILES)
        assert {name: archive.read(name) for name in FILES} == FILES


def test_nothing_of_the_clock_or_the_machine_gets_in(monkeypatch):
    before = make_zip(FILES)
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((2031, 1, 1, 0, 0, 0, 2, 1, 0)))
    monkeypatch.setattr("sys.platform", "win32")
    assert make_zip(FILES) == before
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        for entry in archive.infolist():
            assert (entry.date_time, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
            assert entry.external_attr >> 16 == 0o100644


def test_unzipped_gives_them_back():
    assert unzip(make_zip(FILES)) == FILES
