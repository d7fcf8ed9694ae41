"""What the notebook adds to the hand-in folder: itself with its outputs, the wheel, and the results that it reads."""

import importlib.metadata
import platform
from dataclasses import dataclass
from pathlib import Path

from mnist.idx import raw_folder
from reports.cache import cached, digest, kept
from reports.handin.notebook_execution import execute
from reports.handin.notebook_source import notebook_source
from reports.handin.wheel import Wheel, kept_wheel, project_wheel
from reports.view import Page

NOTEBOOK = "S6.ipynb"
_READ = ("history.json", "evaluation.json", "weights.json")
_COMPUTES = ("ipykernel", "matplotlib", "nbclient", "numpy", "sympy", "torch")


@dataclass(frozen=True)
class Place:
    """Where things lie."""

    records: Path
    """The folder that training and evaluation write to."""
    cache: Path
    data: Path
    """The folder of MNIST; it need not exist."""


def notebook_files(page: Page, place: Place) -> dict[str, bytes]:
    """Make the files by their names in the folder; the notebook runs only where its inputs have changed.

    Raises ReportError for a cell that fails.
    """
    wheel, source, results = project_wheel(place.cache), notebook_source(page), _results(place.records)
    key = _key(source, wheel, results, place.data)
    notebook = cached(place.cache, NOTEBOOK, key, lambda: execute(source, results, wheel, place.data))
    return {NOTEBOOK: notebook, wheel.name: wheel.content, **results}


def kept_notebook_files(page: Page, place: Place) -> dict[str, bytes]:
    """Give the same files where all of them were made from the present inputs; otherwise none."""
    wheel = kept_wheel(place.cache)
    if wheel is None:
        return {}
    results = _results(place.records)
    notebook = kept(place.cache, NOTEBOOK, _key(notebook_source(page), wheel, results, place.data))
    return {} if notebook is None else {NOTEBOOK: notebook, wheel.name: wheel.content, **results}


def _results(records: Path) -> dict[str, bytes]:
    """Take the files as they are: that they belong together was checked when they were read for the page."""
    return {f"results/{name}": (records / name).read_bytes() for name in _READ}


def _key(source: str, wheel: Wheel, results: dict[str, bytes], data: Path) -> str:
    software = [platform.python_version(), *(f"{name} {_version(name)}" for name in _COMPUTES)]
    has_data = str(raw_folder(data).is_dir())
    return digest([source.encode(), wheel.content, *results.values(), has_data.encode(), " ".join(software).encode()])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
