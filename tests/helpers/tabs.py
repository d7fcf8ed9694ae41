"""The page in a browser tab that many tests share, and what they do there."""

COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective));
"""
DRAWN = "#explorer-network [data-key]"


def open_tab(browser, path, **options):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    context.add_init_script(COUNT_VIOLATIONS)
    page = context.new_page()
    page.noted = {"requests": [], "messages": []}
    page.on("request", lambda request: page.noted["requests"].append(request.url))
    page.on("console", lambda message: page.noted["messages"].append(message.text))
    page.on("pageerror", lambda error: page.noted["messages"].append(str(error)))
    page.goto(path.as_uri())
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
