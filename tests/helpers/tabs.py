"""The page in a browser tab that many tests share, and what they do there."""

# Runs before the page does, so that no violation is missed.
COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective));
"""
DRAWN = "#explorer-network [data-key]"
PAINTED = "document.documentElement.classList.contains('painted')"


def open_tab(browser, path, width=1280, scheme="light", fragment="", **options):
    """Open the page, note every request and message, and wait until all of it is laid out."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    context.add_init_script(COUNT_VIOLATIONS)
    page = context.new_page()
    page.noted = {"requests": [], "messages": []}
    page.on("request", lambda request: page.noted["requests"].append(request.url))
    page.on("console", lambda message: page.noted["messages"].append(message.text))
    page.on("pageerror", lambda error: page.noted["messages"].append(str(error)))
    page.on("dialog", lambda dialog: page.noted["messages"].append(f"dialog {dialog.message}"))
    page.goto(path.as_uri() + fragment)
    if options.get("java_script_enabled", True):
        wait_until(page, PAINTED)
    return page


def wait_until(page, condition):
    # Playwright's own waiting evaluates its condition inside the page, which the policy forbids.
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{condition} did not come true")


def drawn(page):
    """Read what the drawing says: text by key."""
    return page.evaluate(
        f"""() => Object.fromEntries([...document.querySelectorAll("{DRAWN}")]
            .filter(piece => piece.querySelector(".value"))
            .map(piece => [piece.dataset.key, piece.querySelector(".value").textContent]))"""
    )


def fill(page, name, text):
    page.fill(f"#explorer-{name}", text)
    page.locator(f"#explorer-{name}").dispatch_event("change")


def press_tab_until(page, condition, limit=150):
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const active = document.activeElement; return {condition}; }})()"):
            return
    raise AssertionError(f"{condition} was never reached")


def axe_findings(page, selector="html"):
    """List what axe finds wrong in a part of the page, or can't decide: (rule, where)."""
    from axe_playwright_python.base import AXE_FILE_PATH  # `make quick` works without

    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    # What passed is not needed, and to report it would take four times as long.
    results = page.evaluate("part => axe.run(part, {resultTypes: ['violations', 'incomplete']})", selector)
    # Of text in figures axe can't tell the background: a test of the whole page compares the colours.
    undecided = [rule for rule in results["incomplete"] if rule["id"] != "color-contrast"]
    return [(rule["id"], node["html"][:200]) for rule in (*results["violations"], *undecided) for node in rule["nodes"]]
