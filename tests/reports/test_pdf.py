import os
import re

import pytest
from programs import require_browser

from reports import pdf
from reports.cli import main
from reports.errors import ReportError


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "a folder, with “signs” #1" / "report.html"
    path.parent.mkdir()
    path.write_text("<!DOCTYPE html><title>T</title><p>One sheet")
    return path


def refusal(page):
    with pytest.raises(ReportError) as caught:
        pdf.print_page(page, page.with_suffix(".pdf"))
    assert "\n" not in str(caught.value)
    assert not page.with_suffix(".pdf").exists()
    return str(caught.value)


def test_the_page_is_printed_beside_itself_and_nothing_else_is_left(page, capsys):
    require_browser()
    assert main(["pdf", f"--output={page.parent}"]) == 0
    assert "report.pdf" in capsys.readouterr().out
    content = page.with_suffix(".pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert sorted(entry.name for entry in page.parent.iterdir()) == ["report.html", "report.pdf"]


def test_no_browser_says_what_to_install_and_how_else(page, monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda _: None)
    message = refusal(page)
    assert "Chromium" in message
    assert f"open {page} in any browser" in message


@pytest.mark.parametrize("script", ["exit 3", "exit 0", "echo no pdf > $OUT"])
def test_a_browser_that_prints_nothing_is_told(page, tmp_path, monkeypatch, script):
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nfor a; do case $a in --print-to-pdf=*) OUT=${{a#*=}};; esac; done\n{script}\n")
    browser.chmod(0o755)
    monkeypatch.setattr(pdf, "BROWSERS", (os.fspath(browser),))
    message = refusal(page)
    assert f"{browser} printed nothing" in message
    assert "print it to a file" in message


def test_no_page_names_the_target(tmp_path, capsys):
    assert main(["pdf", f"--output={tmp_path}"]) == 2
    assert "make report" in capsys.readouterr().err
