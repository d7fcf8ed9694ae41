"""The browser that looks at the page."""

from contextlib import contextmanager

OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def started(path):
    """Start a browser without a window, and close it."""
    from playwright.sync_api import sync_playwright  # `make quick` works without

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()
