"""The page of a check as teachers and students see it."""

import re
import subprocess

import pytest
from programs import require
from rich_books import write_rich_book
from shared import shared_folder
from sheets import EXPRESSIONS, SheetPlan, write_sheet
from tabs import axe_findings, wait_until

from backprop.check.workbooks import collect_files
from backprop.copies.orders import Orders, check_and_copy
from reports.check_page import render_check

NAMES = ("<img src=x onerror=alert(1)>.xlsx", "a right one.xlsx", "“&quot;'>{{7*7}}.xlsx")
FIRST = ".finding >> nth=0"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page of four sheets and a file that is none, with hostile names."""

    def fill(folder):
        sheets = folder / "sheets"
        sheets.mkdir()
        slip = {(f"dE_dw{n}", 0): -EXPRESSIONS[f"dE_dw{n}"] for n in (3, 4)}
        for name, wrong in zip(NAMES, (slip, {}, slip), strict=True):
            write_sheet(sheets / name, SheetPlan(rows=9, wrong=wrong))
        write_rich_book(sheets / "rich.xlsx")
        (sheets / "zz.xlsx").write_bytes(b"no workbook")
        reports = [check_and_copy(Orders(excerpts=True), path) for path in collect_files([sheets])]
        (folder / "check.html").write_text(render_check(reports), encoding="utf-8")

    return shared_folder(tmp_path_factory, "check-page", fill) / "check.html"


@pytest.mark.parametrize("script", [True, False])
def test_it_asks_nobody_and_violates_nothing(visit, path, script):
    page = visit(path, java_script_enabled=script)
    assert page.noted["requests"][0] == path.as_uri()
    assert all(url.startswith("data:") for url in page.noted["requests"][1:])
    assert page.noted["messages"] == []
    if script:
        assert page.evaluate("window.violations") == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(visit, path, scheme, width):
    page = visit(path, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe_findings(page) == []


def test_hostile_names_and_formulas_are_shown_as_they_are(visit, path):
    page = visit(path)
    assert page.locator("img").count() == 0
    headings = page.locator("h2").all_inner_texts()
    for name in NAMES:
        assert any(heading.startswith(name) for heading in headings)
    assert page.locator("h3", has_text="It's <mine> & yours").count() == 1


def test_it_says_everything_without_javascript(visit, path):
    page = visit(path, java_script_enabled=False)
    assert page.locator("#files tbody tr").count() == 5
    assert page.locator(".copy").filter(visible=True).count() == 0
    finding = page.locator(FIRST)
    assert "the sign is the wrong way round" in finding.inner_text().lower()
    assert finding.locator("math").count() > 1
    assert finding.locator("mark").count() > 0
    assert finding.locator("svg").count() == 1


def read_column(page, number):
    return page.locator(f"#files tbody tr > :nth-child({number})").all_inner_texts()


def test_files_can_be_sorted_with_the_keyboard(visit, path):
    page = visit(path)
    wrong = [int(text) for text in read_column(page, 4)]
    assert wrong != sorted(wrong)
    page.locator("#files thead th", has_text="Wrong").locator("button").focus()
    for order, falls in (("ascending", False), ("descending", True)):
        page.keyboard.press("Enter")
        assert [int(text) for text in read_column(page, 4)] == sorted(wrong, reverse=falls)
        assert page.locator("#files th[aria-sort]").get_attribute("aria-sort") == order
    page.locator("#files thead th", has_text="File").locator("button").click()
    assert page.locator("#files th[aria-sort]").count() == 1


def test_a_formula_can_be_copied(visit, path):
    page = visit(path, permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".copy").first
    expected = button.locator("xpath=preceding-sibling::code").inner_text()
    button.click()
    wait_until(page, "document.querySelector('#copied').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == expected
    assert expected.startswith("=((R33-A33)")


def test_without_a_clipboard_the_formula_is_selected(visit, path):
    page = visit(path)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    button = page.locator(".copy").first
    button.click()
    page.wait_for_timeout(50)
    expected = button.locator("xpath=preceding-sibling::code").inner_text()
    assert page.evaluate("getSelection().toString()") == expected


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_marked_cell_is_in_sight_and_leads_to_its_finding(visit, path, width):
    page = visit(path, width=width)
    inside = page.evaluate(
        """() => [...document.querySelectorAll(".scroll:has(.at)")].every(region => {
            const box = region.getBoundingClientRect(), mark = region.querySelector(".at").getBoundingClientRect();
            return mark.left >= box.left && mark.right <= box.right;
        })"""
    )
    assert inside
    page.locator(".at").first.click()
    target = re.sub(r".*#", "", page.url)
    assert page.locator(f"#{target} .number").inner_text() == page.locator(".at").first.inner_text()


def test_each_file_begins_on_a_sheet_of_its_own(visit, path, tmp_path):
    page = visit(path, scheme="dark")
    page.emulate_media(media="print")
    page.pdf(path=tmp_path / "check.pdf", prefer_css_page_size=True)
    command = [require("pdftotext"), "-layout", tmp_path / "check.pdf", "-"]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    sheets = text.split("\f")[:-1]
    for name in (*NAMES, "rich.xlsx", "zz.xlsx"):
        assert sum(sheet.lstrip().startswith(name) for sheet in sheets) == 1
    assert len(sheets) <= 8
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # The whole picture is on the paper.
    wide = "[...document.querySelectorAll('.cells')].filter(t => t.getBoundingClientRect().right > innerWidth).length"
    page.set_viewport_size({"width": 1032, "height": 700})
    assert page.evaluate(wide) == 0
