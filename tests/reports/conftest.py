"""Runs to report on, the page as users build it, and the browser that looks at it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser import started
from programs import require_browser
from shared import shared_folder
from tabs import open_tab, wait_until

sys.path.insert(0, str(Path(__file__).parent))
import records

from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from reports.build import build
from reports.figures import draw
from reports.inputs import read_inputs
from reports.render import render
from reports.view import Heading, view_page


@pytest.fixture
def output(tmp_path):
    """Lay out a folder as the other commands leave it; the workbook is a stand-in that nothing opens."""
    records.write_run(tmp_path / "out")
    records.write_stand_in(tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder of a page and a hand-in folder, built with a real workbook."""

    def fill(folder):
        records.write_run(folder)
        build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 68, False)).save(folder / "backprop.xlsx")
        build(Heading("A title", "Ada Lovelace"), compute_part1(PRESETS["class"], 1.0), read_inputs(folder), folder)

    return shared_folder(tmp_path_factory, "built", fill)


@pytest.fixture
def built_copy(built, tmp_path):
    """Return a copy of that folder for one test."""
    return Path(shutil.copytree(built, tmp_path / "built"))


@pytest.fixture(scope="session")
def handed_in(tmp_path_factory):
    """Return two folders with everything there is to hand in, made by two processes that hash differently."""
    names = ("one", "the other")
    folder = shared_folder(tmp_path_factory, "handed-in", lambda folder: hand_in([folder / name for name in names]))
    return [folder / name for name in names]


def hand_in(folders):
    """Make everything there is to hand in, in each folder by a process of its own."""
    started = []
    for seed, folder in enumerate(folders, 1):
        records.write_run(folder)
        records.write_weights_that_fit(folder)
        script = (
            "import sys; import backprop.__main__ as backprop; import reports.cli as reports; out = sys.argv[1]\n"
            "assert backprop.main(['workbook', '--output', f'{out}/backprop.xlsx']) == 0\n"
            "options = ['--author=Ada Lovelace', '--title=A title', f'--data={out}/nothing']\n"
            "sys.exit(reports.main(['handin', '--output', out, *options]))"
        )
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        command = [sys.executable, "-c", script, folder]
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for process in started:
        out, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors.decode()
        assert errors == b""
        assert b"handin.zip" in out


@pytest.fixture(scope="session")
def make_page(tmp_path_factory):
    """Return a function that renders a page to a file: (inputs, learning_rate, preset, heading, folder) → path."""

    def make(inputs=None, learning_rate=1.0, preset="class", heading=None, folder=None):
        heading = heading or Heading(records.HOSTILE, records.HOSTILE)
        page = view_page(heading, compute_part1(PRESETS[preset], learning_rate), inputs or records.all_inputs())
        path = (folder or tmp_path_factory.mktemp("page")) / "report.html"
        path.write_text(render(page, draw(page)), encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory, make_page):
    return shared_folder(tmp_path_factory, "hostile", lambda folder: make_page(folder=folder)) / "report.html"


@pytest.fixture(scope="session")
def one_epoch_page(tmp_path_factory, make_page):
    """The page of a run that has just begun: nothing is proved, repeated or measured."""

    def fill(folder):
        make_page(records.inputs(epochs=1), learning_rate=0.3, preset="mazur", folder=folder)

    return shared_folder(tmp_path_factory, "one-epoch", fill) / "report.html"


@pytest.fixture(scope="session")
def flawless_page(make_page):
    """The page of a network that names every image right."""
    return make_page(records.inputs(evaluation=records.flawless_evaluation()))


@pytest.fixture(scope="session")
def browser():
    with started(require_browser()) as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Return a function that opens a page and notes every request and message."""
    pages = []

    def open_page(path, **options):
        pages.append(open_tab(browser, path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()


@pytest.fixture(scope="session")
def digits(make_page):
    """Train a network for a moment, and render the page that carries it."""
    import digit_page  # imports torch, which most tests here don't need

    found = digit_page.learn()
    inputs = digit_page.inputs_of(found)
    return digit_page.Digits(found, inputs, make_page(inputs))


@pytest.fixture(scope="session")
def opened_at_digits(browser, digits):
    """Open that page once, at its section; it notes requests, messages and violations."""
    page = open_tab(browser, digits.path)
    page.locator("#digit-paper").scroll_into_view_if_needed()
    yield page
    page.context.close()


@pytest.fixture
def field(opened_at_digits):
    """Give the page with an empty field to draw in."""
    from digit_page import settle

    opened_at_digits.locator("#digit-clear").click()
    settle(opened_at_digits)
    return opened_at_digits


@pytest.fixture(scope="session")
def tab(browser, hostile_page):
    """Open the class page once for all tests here; nothing that they do may ask for anything or break the policy."""
    page = open_tab(browser, hostile_page, permissions=["clipboard-read", "clipboard-write"])
    wait_until(page, "page.explorer && page.comparison")
    yield page
    assert [url for url in page.noted["requests"] if not url.startswith("data:")] == [hostile_page.as_uri()]
    assert page.noted["messages"] == []
    assert page.evaluate("violations") == []
    page.context.close()


@pytest.fixture
def explorer(tab):
    """Give the class page with the explorer as it is after loading."""
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.evaluate("document.activeElement.blur()")
    tab.check("[name=explorer-view][value=forward]")
    tab.uncheck("#explorer-logarithmic")
    tab.select_option("#explorer-horizon", "200")
    tab.select_option("#explorer-start", "0")
    tab.click("#explorer-reset")
    return tab
