"""Runs to report on, the page as users build it, and the browser that looks at it."""

import sys
from pathlib import Path

import pytest
from office import require
from playwright.sync_api import sync_playwright
from tabs import open_tab, wait_until

sys.path.insert(0, str(Path(__file__).parent))
import records

from backprop.network import PRESETS
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from reports.build import build
from reports.figures import draw
from reports.inputs import Inputs, read_inputs
from reports.render import render
from reports.view import Heading, view_page


@pytest.fixture
def output(tmp_path):
    """Lay out a folder as the other commands leave it; the workbook is a stand-in that nothing reads."""
    records.write_run(tmp_path / "out")
    (tmp_path / "out" / "backprop.xlsx").write_bytes(b"not a workbook")
    return tmp_path / "out"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build page and hand-in folder with a real workbook."""
    folder = tmp_path_factory.mktemp("built")
    records.write_run(folder)
    build_workbook(WorkbookOptions(PRESETS["class"], 1.0, 68, False)).book.save(folder / "backprop.xlsx")
    build(Heading("A title", "Ada Lovelace"), PRESETS["class"], 1.0, read_inputs(folder), folder)
    return folder


@pytest.fixture(scope="session")
def make_page(tmp_path_factory):
    """Return a function that renders a page to a file: (epochs, learning_rate, preset, heading) → path."""

    def make(epochs=15, learning_rate=1.0, preset="class", heading=None):
        inputs = Inputs(
            records.history(epochs), records.evaluation(epochs), Path("backprop.xlsx"), records.PROOF, records.studies()
        )
        page = view_page(heading or Heading(records.HOSTILE, records.HOSTILE), PRESETS[preset], learning_rate, inputs)
        path = tmp_path_factory.mktemp("page") / "report.html"
        path.write_text(render(page, draw(page)), encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def hostile_page(make_page):
    return make_page()


@pytest.fixture(scope="session")
def one_epoch_page(make_page):
    return make_page(epochs=1, learning_rate=0.3, preset="mazur")


@pytest.fixture(scope="session")
def browser():
    """Start Debian's Chromium; without it, skip on a laptop and fail in CI."""
    path = require("chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tab(browser, hostile_page):
    """Open the class page once for all tests here; nothing that they do may ask for anything or break the policy."""
    page = open_tab(browser, hostile_page, permissions=["clipboard-read", "clipboard-write"])
    wait_until(page, "liveExplorer && liveComparison")
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
