"""The project as a wheel for the notebook, and zip archives that are the same bytes whenever their files are."""

import importlib.metadata
import io
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backprop import __version__
from reports.cache import digest, load, load_or_make
from reports.errors import ReportError
from reports.files import fill

PROJECT = Path(__file__).resolve().parents[2]
_PROJECT_FILE = "pyproject.toml"
_SECONDS = 300
_THE_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX, _READABLE_FILE = 3, 0o100644 << 16
_REMEDY = "install what it takes with `pip install '.[handin]'`"


@dataclass(frozen=True)
class Wheel:
    """An installable archive of the project."""

    name: str
    """As pip wants it: backprop_report-0.1.0-py3-none-any.whl."""
    content: bytes


def project_wheel(cache: Path, project: Path = PROJECT) -> Wheel:
    """Build the wheel, or load the one that was built from the same files before.

    Raises ReportError where there is no checkout to build from, or setuptools is missing.
    """
    sources = _read_sources(project)
    content = load_or_make(cache, "project.whl", _key(sources), lambda: _build(sources))
    return Wheel(_name(sources), content)


def load_wheel(cache: Path, project: Path = PROJECT) -> Wheel | None:
    """Load the wheel if one was built from the project's present files; None otherwise."""
    try:
        sources = _read_sources(project)
        content = load(cache, "project.whl", _key(sources))
    except ReportError:
        return None
    return None if content is None else Wheel(_name(sources), content)


def _read_sources(project: Path) -> dict[str, bytes]:
    """Read what a wheel is made of, and nothing else that may lie in the checkout."""
    if not (project / _PROJECT_FILE).is_file():
        raise ReportError(f"{project} is no checkout of the project, and only from one can its wheel be built")
    declared = tomllib.loads((project / _PROJECT_FILE).read_text(encoding="utf-8"))
    folders = [package.replace(".", "/") for package in declared["tool"]["setuptools"]["packages"]]
    paths = [_PROJECT_FILE, "README.md", "LICENSE"]
    for folder in folders:
        files = (path for path in (project / folder).iterdir() if path.is_file() and path.name[0] != ".")
        paths += sorted(f"{folder}/{path.name}" for path in files)
    return {path: (project / path).read_bytes() for path in paths}


def _key(sources: dict[str, bytes]) -> str:
    # The builder writes its version into the wheel.
    try:
        builder = importlib.metadata.version("setuptools")
    except importlib.metadata.PackageNotFoundError:
        raise ReportError(f"the project's wheel needs setuptools: {_REMEDY}") from None
    return digest([builder.encode(), *(part for name, text in sources.items() for part in (name.encode(), text))])


def _name(sources: dict[str, bytes]) -> str:
    project = tomllib.loads(sources[_PROJECT_FILE].decode())["project"]
    return f"{project['name'].replace('-', '_')}-{__version__}-py3-none-any.whl"


def _build(sources: dict[str, bytes]) -> bytes:
    """Build from a copy: what setuptools leaves behind stays out of the checkout, and old files out of the wheel."""
    with tempfile.TemporaryDirectory() as name:
        copy, made = Path(name, "project"), Path(name, "wheel")
        fill(copy, sources)
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(made), str(copy)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as cause:
            raise ReportError(f"the project's wheel can't be built ({cause}): {_REMEDY}") from cause
        wheels = list(made.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ReportError(f"the project's wheel can't be built ({reason}): {_REMEDY}")
        # Packed anew: dates, permissions and compression would follow the machine, and do not count in its RECORD.
        return make_zip(unzip(wheels[0].read_bytes()))


def make_zip(files: Mapping[str, bytes]) -> bytes:
    """Pack files in the order given: no dates, no owners, read by all and written by their owner."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _THE_FIRST_DATE)
            # Otherwise both follow the machine that packs.
            entry.create_system, entry.external_attr = _UNIX, _READABLE_FILE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    return content.getvalue()


def unzip(content: bytes) -> dict[str, bytes]:
    """Read an archive's files by name, in its order. Raises zipfile.BadZipFile for anything else."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
