"""Folders that many tests read: filled once, by the worker of pytest-xdist that is first to need one."""

import os
import shutil

try:
    import fcntl
except ImportError:  # Windows: every worker fills its own
    fcntl = None


def shared_folder(tmp_path_factory, name, fill):
    """Return the folder `name` of this run of pytest after `fill(folder)` has been called once; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    if fcntl and "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, filled = base / "shared" / name, base / "shared" / f"{name}.filled"
    folder.parent.mkdir(exist_ok=True)
    with (base / "shared" / f"{name}.lock").open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not filled.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            filled.touch()
    return folder
