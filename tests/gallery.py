"""Make the pictures that README.md shows from finished results: python tests/gallery.py [out].

The page is photographed in Chromium as it opens; the sheet is the hand-in folder's picture of it.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

GALLERY = Path(__file__).parents[1] / "reports" / "gallery"


def main(results: Path) -> None:
    """Write page.png and sheet.png."""
    GALLERY.mkdir(exist_ok=True)
    with Image.open(results / "handin" / "pictures" / "sheet.png") as sheet:
        # The upper part tells it all, and a few colours are enough for it.
        top = sheet.convert("RGB").crop((0, 0, sheet.width, round(sheet.height * 0.55)))
        top.quantize(128, Image.Quantize.MAXCOVERAGE).save(GALLERY / "sheet.png", optimize=True)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto((results / "report.html").resolve().as_uri())
        page.screenshot(path=GALLERY / "page.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
