"""What all tests share: the choice that `make quick` makes, and how many workers run them."""

import os

import pytest
import quick
from hypothesis import settings


def pytest_configure(config: pytest.Config) -> None:
    # Without a deadline for an example, as it has to wait for what other workers do.
    settings.register_profile("workers", settings(), deadline=None)
    settings.load_profile("workers")
    # Hooks of a conftest are not called for folders whose own conftest is still to be imported; a plugin's are.
    if os.environ.get("QUICK"):
        config.pluginmanager.register(quick)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start three workers for two cores: tests often wait, for browsers and other processes."""
    # Containers often have fewer cores than their machine.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + cores // 2
