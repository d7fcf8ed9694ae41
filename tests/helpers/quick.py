"""What `make quick` leaves out, decided by what each test needs: packages, other processes, seconds."""

import functools
import re
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import Phase, settings

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def packages_left_out():
    """Return the packages of all extras but those that `make quick` installs."""
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {
        extra: {re.split(r"[\[>=]", line)[0].replace("-", "_") for line in lines} for extra, lines in extras.items()
    }
    return set().union(*names.values()) - names["quick"] - names["report"]


LEFT_OUT = packages_left_out()


class LeftOut:
    """Fail to import what is left out, so that it does not depend on what is installed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in LEFT_OUT:
            raise ModuleNotFoundError(f"`make quick` leaves out {name}", name=name)


def pytest_configure():
    # None in sys.modules would do too, but SciPy looks there for torch and takes it for a module.
    sys.meta_path.insert(0, LeftOut)
    without_shrinking = set(settings().phases) - {Phase.shrink, Phase.explain}
    settings.register_profile("quick", settings(), max_examples=5, phases=without_shrinking)
    settings.load_profile("quick")


def pytest_runtest_setup():
    leave_out_processes()


@functools.cache
def leave_out_processes():
    """Skip a test when it starts a process other than git; called where tests run, as pytest-xdist starts some too."""

    def watch(event, arguments):
        if event == "subprocess.Popen" and Path(arguments[0]).name != "git":  # which the page asks for its commit
            pytest.skip("`make quick` leaves out what starts a process")

    sys.addaudithook(watch)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="`make quick` leaves out what is slow"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    return skipped_for_packages(report, report.call)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return skipped_for_packages(report, call)


def skipped_for_packages(report, call):
    """Turn a failure into a skip where a package is left out that the test, or something it imports, needs."""
    error = call.excinfo and call.excinfo.value
    while error and not isinstance(error, ModuleNotFoundError):
        error = error.__cause__
    if error and error.name.partition(".")[0] in LEFT_OUT:
        report.outcome = "skipped"
        report.longrepr = (str(Path(__file__)), 1, f"`make quick` leaves out what needs {error.name}")
    return report
