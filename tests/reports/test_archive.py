import io
import time
import zipfile

from reports.handin.archive import unzipped, zipped

FILES = {"b.txt": b"one", "a/ünïcode.txt": b"x" * 10_000, "empty": b""}


def test_other_readers_find_the_files_in_the_order_given():
    with zipfile.ZipFile(io.BytesIO(zipped(FILES))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(FILES)
        assert {name: archive.read(name) for name in FILES} == FILES


def test_nothing_of_the_clock_or_the_machine_gets_in(monkeypatch):
    before = zipped(FILES)
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((2031, 1, 1, 0, 0, 0, 2, 1, 0)))
    monkeypatch.setattr("sys.platform", "win32")
    assert zipped(FILES) == before
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        for entry in archive.infolist():
            assert (entry.date_time, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
            assert entry.external_attr >> 16 == 0o100644


def test_unzipped_gives_them_back():
    assert unzipped(zipped(FILES)) == FILES
