"""Photographs of the page in each state that readers see it in; tests keep them, and README.md shows one."""

from dataclasses import dataclass

from tabs import PAINTED, wait_until

A4 = {"width": 672, "height": 980}
"""An A4 sheet without its margins, at 96 pixels an inch."""


@dataclass(frozen=True)
class State:
    """How a reader sees the page."""

    name: str
    width: int = 1200
    scheme: str = "light"
    javascript: bool = True
    online: bool = True
    paper: bool = False


STATES = (
    State("light"),
    State("dark", scheme="dark"),
    State("narrow", width=320),
    State("paper", width=A4["width"], paper=True),
    State("no-javascript", javascript=False),
    State("offline", online=False),
)


def take(browser, path, folder):
    """Photograph a page from top to bottom in each state; returns {name of the state: path of its PNG}."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = {}
    for state in STATES:
        context = browser.new_context(
            viewport={"width": state.width, "height": 900},
            color_scheme=state.scheme,
            java_script_enabled=state.javascript,
            offline=not state.online,
        )
        page = context.new_page()
        page.goto(path.as_uri())
        if state.javascript:
            wait_until(page, PAINTED)
        if state.paper:
            page.emulate_media(media="print")
        taken[state.name] = folder / f"{state.name}.png"
        page.screenshot(path=taken[state.name], full_page=True)
        context.close()
    return taken
