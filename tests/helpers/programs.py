"""Programs that tests run: without one, a test is skipped on a laptop and fails in CI; `make quick` runs none."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from reports.pdf import find_browser


def require(program):
    """Return a program's path."""
    return _found(shutil.which(program), f"{program} is not installed")


def require_browser():
    """Return the path of the browser that the project itself would take."""
    return _found(find_browser(), "no Chromium, Chrome or Edge is installed")


def require_node_module(name, command=None):
    """Return the folder of a package that the scripts' checks have installed, or the path of its command."""
    folder = Path(__file__).parents[1] / "scripts/node_modules"
    path = folder / ".bin" / command if command else folder / name
    return _found(path if path.exists() else None, f"{name} is not installed: make lint installs it")


def require_package(name):
    """Return where a Python package of the extra `dev` is installed."""
    return _found(find_spec(name), f"{name} is not installed")


def _found(path, message):
    if os.environ.get("QUICK"):
        pytest.skip("`make quick` leaves out what starts a process")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
