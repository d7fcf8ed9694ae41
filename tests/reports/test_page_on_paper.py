"""The page as a printer sees it: page numbers, nothing cut, nothing blank, white."""

import re
import subprocess

import pytest
from pictures import A4
from programs import require


@pytest.fixture(params=["hostile_page", "one_epoch_page"])
def printed(request, visit):
    """A page as it is laid out for paper, on a system that prefers dark."""
    page = visit(request.getfixturevalue(request.param), scheme="dark")
    page.locator("#confusion a").first.click()  # what a reader filtered away is printed all the same
    page.emulate_media(media="print")
    page.set_viewport_size(A4)
    return page


def test_sheets_are_numbered_and_none_is_blank(printed, tmp_path):
    assert printed.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    printed.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    command = [require("pdftotext"), tmp_path / "report.pdf", "-"]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    sheets = text.split("\f")[:-1]
    assert 8 < len(sheets) < 40
    for number, sheet in enumerate(sheets, 1):
        assert len(sheet.split()) > 15
        assert re.search(rf"^{number} / {len(sheets)}$", sheet, re.MULTILINE), f"sheet {number} has no number"


def test_paper_is_white_and_shows_the_static_state(printed):
    assert printed.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert printed.locator(".live-only").filter(visible=True).count() == 0
    groups = printed.locator(".mistake")
    assert groups.filter(visible=True).count() == groups.count() > 5


def test_figures_and_tables_fit_a_sheet_and_are_kept_together(printed):
    torn = printed.evaluate(
        """height => [...document.querySelectorAll("figure, table, .mistake, .summary")]
            .filter(element => element.checkVisibility())
            .filter(element => element.getBoundingClientRect().height > height
                || getComputedStyle(element).breakInside !== "avoid")
            .map(element => element.outerHTML.slice(0, 100))""",
        A4["height"],
    )
    assert torn == []
