import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.handin.archives import load_wheel, project_wheel, unzip

PROJECT = Path(__file__).parents[2]


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
        name for name in ours if name.endswith(".py") or (name.startswith("templates/") and (PROJECT / name).is_file())
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
        "import reports.render, backprop.derivation, mnist.records\n"
        f"assert reports.render.__file__.startswith({str(installed)!r}), reports.render.__file__\n"
        "for name in ('page/page.html', 'prose/mnist.txt', 'styles/style.css', 'handin/notebook.py'):\n"
        "    assert (reports.render.TEMPLATES / name).is_file()\n"
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
