"""The page as a PDF, printed by a browser that is already there."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from backprop.files import write_file
from reports.errors import ReportError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
"""Names and places of browsers that print without a window; the first one that is there is taken."""
_SECONDS = 120
_BY_HAND = "open {} in it and print it to a file"


def print_page(page: Path, target: Path) -> None:
    """Print an HTML file to a PDF. Raises ReportError where there is no page, no browser, or no PDF comes out of it."""
    if not page.is_file():
        raise ReportError(f"{page} does not exist: run `make report`, which writes it")
    browser = find_browser()
    if browser is None:
        raise ReportError(
            f"no Chromium, Chrome or Edge is installed to print with: install one, or open {page} in any browser and "
            "print it to a file"
        )
    write_file(target, _print(browser, page))


def find_browser() -> str | None:
    """Find a browser that can print; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _print(browser: str, page: Path) -> bytes:
    # Beside the page: a browser that is locked in sees the user's folders, but has a /tmp of its own.
    with tempfile.TemporaryDirectory(dir=page.parent, prefix=".pdf.", ignore_cleanup_errors=True) as name:
        printed = Path(name) / "page.pdf"
        command = [
            browser,
            *_flags(Path(name) / "profile"),
            f"--print-to-pdf={printed.resolve()}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise ReportError(f"{browser} does not print ({type(error).__name__}): {_BY_HAND.format(page)}") from error
        content = printed.read_bytes() if printed.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise ReportError(f"{browser} printed nothing (exit code {done.returncode}): {_BY_HAND.format(page)}")
    return content


def _flags(profile: Path) -> list[str]:
    """Return what makes a browser print in silence; the page's style sheet does the rest: A4, page numbers, light."""
    flags = [
        "--headless",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        # Of its own, so that a browser that the user has open does not take the job over, and forgets it.
        f"--user-data-dir={profile.resolve()}",
    ]
    # Chromium refuses to start as root with its sandbox on, as in a container.
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*flags, "--no-sandbox"] if as_root else flags
