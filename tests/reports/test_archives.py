import importlib.metadata
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.handin.archives import load_wheel, make_zip, project_wheel, unzip

PROJECT = Path(__file__).parents[2]
FILES = {"b.txt": b"one", "a/ünïcode.txt": b"x" * 10_000, "empty": b""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return project_wheel(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def installed(wheel, tmp_path):
    """Install the wheel alone into a folder, as pip does in Colab but for its dependencies."""
    (tmp_path / wheel.name).write_bytes(wheel.content)
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check", "--target", tmp_path / "installed"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, tmp_path / wheel.name], check=True)
    return tmp_path / "installed"


def test_it_holds_every_file_of_every_package_and_nothing_else(wheel):
    files = {name for name in unzip(wheel.content) if ".dist-info/" not in name}
    folders = ("backprop", "mnist", "reports", "templates")
    ours = {str(path.relative_to(PROJECT)) for folder in folders for path in (PROJECT / folder).rglob("*")}
    code = {
        name
        for name in ours
        if name.endswith((".py", ".toml")) or (name.startswith("templates/") and (PROJECT / name).is_file())
    }
    assert files == {name for name in code if "__pycache__" not in name}


def test_built_again_elsewhere_it_is_the_same_bytes(wheel, tmp_path):
    before = os.umask(0o077)
    try:
        again = project_wheel(tmp_path)
    finally:
        os.umask(before)
    assert again == wheel


def test_nothing_is_left_in_the_checkout(wheel):
    assert not (PROJECT / "build").exists()


def test_it_is_built_once(wheel, tmp_path, monkeypatch):
    assert load_wheel(tmp_path) is None
    built = []
    monkeypatch.setattr("reports.handin.archives._build", lambda sources: built.append(1) or b"a wheel")
    assert project_wheel(tmp_path) == project_wheel(tmp_path) == load_wheel(tmp_path)
    assert built == [1]


def test_the_installed_project_renders_without_the_checkout(installed, tmp_path):
    script = (
        "import reports.render, reports.prose, reports.check_page, backprop.copies.orders, mnist.records\n"
        f"assert reports.render.__file__.startswith({str(installed)!r}), reports.render.__file__\n"
        "for name in ('page/page.html', 'check/check.html', 'prose/mnist.txt', 'styles/style.css'):\n"
        "    assert (reports.prose.TEMPLATES / name).is_file()\n"
        "from importlib.metadata import distribution\n"
        "extras = distribution('backprop-report').metadata.get_all('Provides-Extra')\n"
        "assert {'mnist', 'report'} <= set(extras), extras"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_where_there_is_no_checkout_it_says_so(tmp_path):
    with pytest.raises(ReportError, match="no checkout"):
        project_wheel(tmp_path / "cache", tmp_path)
    assert load_wheel(tmp_path / "cache", tmp_path) is None


def test_without_setuptools_it_names_the_extra(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ReportError, match=r"setuptools.*handin"):
        project_wheel(tmp_path)
    assert load_wheel(tmp_path) is None  # the page does not need one


def test_a_project_that_can_not_be_built_is_one_line(tmp_path):
    broken = tmp_path / "project"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        broken.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, broken)
    text = (broken / "pyproject.toml").read_text()
    start = text.index("packages = [")
    end = text.index("]", start)
    (broken / "pyproject.toml").write_text(text[:start] + 'packages = ["nowhere"' + text[end:])
    (broken / "nowhere").mkdir()
    (broken / "nowhere" / "x.py").write_text("x = 1\n")
    text = (broken / "pyproject.toml").read_text().replace('license = "MIT"', "license = 3")
    (broken / "pyproject.toml").write_text(text)
    with pytest.raises(ReportError, match="wheel can't be built") as raised:
        project_wheel(tmp_path / "cache", broken)
    assert len(str(raised.value).splitlines()) == 1


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
