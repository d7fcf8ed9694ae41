"""S6.ipynb: written from its template, run as a reader would, and packed with what it reads."""

import importlib.metadata
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist.constants import EPOCH_LIMIT, PARAMETER_LIMIT, REQUIRED_ACCURACY
from mnist.idx import raw_folder
from reports.cache import digest, load, load_or_make
from reports.errors import ReportError
from reports.files import fill
from reports.handin.archives import Wheel, load_wheel, project_wheel, unzip
from reports.handin.markdown import markdown_environment
from reports.prose import TEMPLATES
from reports.view import Page

NOTEBOOK = "S6.ipynb"
_READ = ("history.json", "evaluation.json", "weights.json")
_COMPUTES = ("ipykernel", "matplotlib", "nbclient", "numpy", "sympy", "torch")
_CELL = re.compile(r"^# %% (?P<text>\[markdown\] )?(?P<name>[a-z0-9-]+)\n", re.MULTILINE)
_FORMAT = {"nbformat": 4, "nbformat_minor": 5}  # the first with names for cells
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_SECONDS = 600
"""For one cell; all of them take less than a minute where nothing else runs."""
_SILENT = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class NotebookInputs:
    """The folders that the notebook is made from."""

    records: Path
    """The folder that training and evaluation write to."""
    cache: Path
    data: Path
    """The folder of MNIST; it need not exist."""


def notebook_files(page: Page, inputs: NotebookInputs) -> dict[str, bytes]:
    """Make the notebook's files by their names in the folder; it runs only where its inputs have changed.

    Raises ReportError for a cell that fails.
    """
    wheel, source, results = project_wheel(inputs.cache), notebook_source(page), _read_results(inputs.records)
    key = _key(source, wheel, results, inputs.data)
    notebook = load_or_make(inputs.cache, NOTEBOOK, key, lambda: execute(source, results, wheel, inputs.data))
    return {NOTEBOOK: notebook, wheel.name: wheel.content, **results}


def load_notebook_files(page: Page, inputs: NotebookInputs) -> dict[str, bytes]:
    """Return the same files where all of them were made from the present inputs; otherwise none."""
    wheel = load_wheel(inputs.cache)
    if wheel is None:
        return {}
    results = _read_results(inputs.records)
    notebook = load(inputs.cache, NOTEBOOK, _key(notebook_source(page), wheel, results, inputs.data))
    return {} if notebook is None else {NOTEBOOK: notebook, wheel.name: wheel.content, **results}


def _read_results(records: Path) -> dict[str, bytes]:
    """Read the files as they are: that they belong together was check when they were read for the page."""
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


@dataclass(frozen=True)
class TemplateCell:
    """One cell of the template."""

    name: str
    is_text: bool
    source: str
    """Markdown with Jinja's marks, or Python."""


def read_cells(template: str) -> tuple[TemplateCell, ...]:
    """Split a Python file at its `# %%` lines; text stands there in comments. What comes before is left out."""
    marks = list(_CELL.finditer(template))
    ends = [mark.start() for mark in marks[1:]] + [len(template)]
    return tuple(
        _cell(mark["name"], bool(mark["text"]), template[mark.end() : end].strip("\n"))
        for mark, end in zip(marks, ends, strict=True)
    )


def _cell(name: str, is_text: bool, source: str) -> TemplateCell:
    return TemplateCell(name, is_text, re.sub(r"^# ?", "", source, flags=re.MULTILINE) if is_text else source)


def notebook_source(page: Page) -> str:
    """Render the notebook as a file of format 4.5 without outputs; needs no library for notebooks."""
    cells = read_cells((TEMPLATES / "handin" / "notebook.py").read_text(encoding="utf-8"))
    notebook = {"cells": [_node(cell, page) for cell in cells], "metadata": {"kernelspec": _KERNEL}, **_FORMAT}
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _node(cell: TemplateCell, page: Page) -> dict[str, Any]:
    if cell.is_text:
        return {"cell_type": "markdown", "id": cell.name, "metadata": {}, "source": _fill_in(cell.source, page)}
    source = _settings(page) if cell.name == "settings" else cell.source
    return {
        "cell_type": "code",
        "id": cell.name,
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }


def _fill_in(text: str, page: Page) -> str:
    asked = {"least_accuracy": REQUIRED_ACCURACY, "most_parameters": PARAMETER_LIMIT, "most_epochs": EPOCH_LIMIT}
    return markdown_environment().from_string(text).render(page=page, mnist=page.mnist, **asked)


def _settings(page: Page) -> str:
    """Render the cell that says which run the notebook is about."""
    return f"PRESET = {page.backprop.preset.name!r}\nLEARNING_RATE = {page.backprop.learning_rate!r}".replace("'", '"')


def execute(source: str, files: Mapping[str, bytes], wheel: Wheel, data: Path) -> bytes:
    """Run every cell in a copy of the folder, on the project as the wheel holds it; no time and no path gets in.

    `files` lie beside the notebook, and MNIST does where `data` holds it. Returns the notebook with its outputs.
    Raises ReportError that names the cell which fails, or the packages that are missing.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, project = Path(name, "handin"), Path(name, "project")
        fill(folder, files)
        fill(project, unzip(wheel.content))
        if raw_folder(data).is_dir():
            (folder / "data").symlink_to(data.resolve(), target_is_directory=True)
        # First on the path: an editable installation of the checkout would hide what the wheel lacks.
        path = os.pathsep.join(filter(None, (str(project), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, **_SILENT, "PYTHONPATH": path, "IPYTHONDIR": str(Path(name, "ipython"))}
        return _run(source, folder, environment)


def _run(source: str, folder: Path, environment: Mapping[str, str]) -> bytes:
    try:
        import nbformat
        from nbclient.exceptions import CellControlSignal

        notebook: Any = nbformat.from_dict(json.loads(source))  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
        client = _client(notebook, folder)
    except ImportError as cause:
        raise ReportError(f"S6.ipynb needs {cause.name} to run: install it with `pip install '.[handin]'`") from cause
    try:
        client.execute(env=dict(environment))
    except (CellControlSignal, RuntimeError) as failure:  # the latter where the kernel dies or does not answer
        raise ReportError(_explain_failure(notebook, failure)) from failure
    nbformat.validate(notebook)
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _client(notebook: Any, folder: Path) -> Any:
    from nbclient import NotebookClient

    return NotebookClient(
        notebook,
        timeout=_SECONDS,
        startup_timeout=_SECONDS,
        kernel_manager_class=_kernel_of_this_python(),
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )


def _kernel_of_this_python() -> Any:
    """Make a kernel manager of our own: the user's registered "python3" may be another Python."""
    import ipykernel  # noqa: F401  (started as a process; here it only has to be there)
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Kernel(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            arguments = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
            return KernelSpec(argv=arguments, display_name="Python 3 (ipykernel)", language="python")

    return Kernel


def _explain_failure(notebook: Any, failure: Exception) -> str:
    """Return in one line which cell failed and how."""
    begun = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count is not None]
    reason = f"{getattr(failure, 'ename', type(failure).__name__)}: {getattr(failure, 'evalue', failure)}"
    where = f"stops in its cell “{begun[-1].id}”" if begun else "can't be started"
    return f"S6.ipynb {where} ({' '.join(reason.split())}): nothing was written"
