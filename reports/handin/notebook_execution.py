"""Running the notebook as a reader would: in a copy of its folder, on the project as the wheel holds it."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist.idx import raw_folder
from reports.errors import ReportError
from reports.files import fill
from reports.handin.archive import unzipped
from reports.handin.wheel import Wheel

_SECONDS = 600
"""For one cell; all of them take less than a minute where nothing else runs."""
_SILENT = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}


def execute(source: str, files: Mapping[str, bytes], wheel: Wheel, data: Path) -> bytes:
    """Run every cell and give the notebook with its outputs; no time and no path gets into it.

    `files` lie beside the notebook, and MNIST does where `data` holds it. Raises ReportError that names the cell which
    fails, or the packages that are missing.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, project = Path(name, "handin"), Path(name, "project")
        fill(folder, files)
        fill(project, unzipped(wheel.content))
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
        raise ReportError(_told(notebook, failure)) from failure
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


def _told(notebook: Any, failure: Exception) -> str:
    """Say in one line which cell failed and how."""
    begun = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count is not None]
    reason = f"{getattr(failure, 'ename', type(failure).__name__)}: {getattr(failure, 'evalue', failure)}"
    where = f"stops in its cell “{begun[-1].id}”" if begun else "can't be started"
    return f"S6.ipynb {where} ({' '.join(reason.split())}): nothing was written"
