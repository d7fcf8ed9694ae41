"""What all tests share."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "helpers"))


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("QUICK"):
        import quick

        config.pluginmanager.register(quick)
