"""What the page costs its reader: bytes, first paint, and a step of the explorer, measured in Chromium."""

import platform
import statistics
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from reports.pdf import find_browser

LOADS, STEPS = 9, 60
FIRST_PAINT = """() => new Promise(resolve => {
    new PerformanceObserver(list => {
        const paint = list.getEntriesByName("first-contentful-paint")[0];
        if (paint) resolve(paint.startTime);
    }).observe({ type: "paint", buffered: true });
})"""
# Everything that follows from a change of η, at as many iterations as the explorer computes; layout is part of it.
EXPLORER_STEPS = """async count => {
    if (typeof page === "undefined") return null;
    while (!page.explorer) await new Promise(requestAnimationFrame);
    const times = [];
    for (let i = 0; i < count; i++) {
        const start = performance.now();
        page.explorer.update();
        document.body.offsetHeight;
        times.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
    }
    return { times, iterations: page.explorer.rows.length - 1 };
}"""


def print_page_costs(page: Path) -> None:
    """Print the page's size, and what Chromium takes to show it and to follow a change in the explorer."""
    print(f"{'size of the page':<34} {page.stat().st_size / 1e6:7.3f} MB  aim 1 MB")
    path = find_browser()
    if path is None or find_spec("playwright") is None:
        print("first paint, explorer: not measured, which needs Chromium and `make test`'s packages")
        return
    from browser import started

    with started(path) as browser:
        print(f"{Path(path).stem} {browser.version} on {platform.machine()}, page from disk")
        _row(f"first paint, {LOADS} fresh loads", 300, first_paints(browser, page))
        steps = explorer_steps(browser, page)
        if steps:
            _row(f"explorer, {steps['iterations']:,} iterations", 16, steps["times"])


def first_paints(browser, page: Path) -> list[float]:
    """Load the page in a browser context of its own, again and again, after one load that does not count."""
    times = []
    for _ in range(LOADS + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        tab.goto(page.resolve().as_uri(), wait_until="commit")
        times.append(tab.evaluate(FIRST_PAINT))
        context.close()
    return times[1:]


def explorer_steps(browser, page: Path) -> dict | None:
    """Let the explorer follow a change as often as it takes for a median; None where the page has none."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(page.resolve().as_uri())
    result = tab.evaluate(EXPLORER_STEPS, STEPS)
    context.close()
    return result


def _row(what: str, aim: float, times: Sequence[float]) -> None:
    median = statistics.median(times)
    print(f"{what:<34} {median:7.1f} ms  {min(times):6.1f} to {max(times):.1f} ms  aim {aim:.0f} ms", flush=True)
