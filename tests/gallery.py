"""Make the pictures of finished results: python tests/gallery.py [out].

Chromium photographs the page in every state, into OUT/pictures, and README.md shows how it opens. The sheet is the
hand-in folder's picture of it.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from pictures import CHROMIUM_OPTIONS, take

GALLERY = Path(__file__).parents[1] / "reports" / "gallery"
FIRST_SCREEN, SHEET_SHARE, COLOURS = 900, 0.55, 128


def main(results: Path) -> None:
    """Write OUT/pictures, and page.png and sheet.png of the gallery."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("error: chromium is not installed, which takes the pictures")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        taken = take(browser, (results / "report.html").resolve(), results / "pictures")
        browser.close()
    GALLERY.mkdir(exist_ok=True)
    _cut(taken["light"], GALLERY / "page.png", FIRST_SCREEN)
    with Image.open(results / "handin" / "pictures" / "sheet.png") as sheet:
        height = round(sheet.height * SHEET_SHARE)  # the upper part tells it all
    _cut(results / "handin" / "pictures" / "sheet.png", GALLERY / "sheet.png", height)
    print(f"The pictures are in {results / 'pictures'}, those of README.md in {GALLERY}")


def _cut(source: Path, target: Path, height: int) -> None:
    """Keep the upper part, in few colours: enough for what it shows."""
    with Image.open(source) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, height))
        top.quantize(COLOURS, Image.Quantize.MEDIANCUT).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
