"""Programs that tests run: without one, a test is skipped on a laptop and fails in CI; `make quick` runs none."""

import os
import shutil

import pytest

from reports.pdf import find_browser


def require(program):
    """Return a program's path."""
    return _found(shutil.which(program), f"{program} is not installed")


def require_browser():
    """Return the path of the browser that the project itself would take."""
    return _found(find_browser(), "no Chromium, Chrome or Edge is installed")


def _found(path, message):
    if os.environ.get("QUICK"):
        pytest.skip("`make quick` leaves out what starts a process")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
