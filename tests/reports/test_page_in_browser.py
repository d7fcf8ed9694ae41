"""The page as readers see it: no request, no violation, nothing cut, nothing unreadable."""

import subprocess

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from office import require

# Runs before the page does, so that no violation is missed.
COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective));
"""


@pytest.fixture(params=["hostile_page", "one_epoch_page"])
def path(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def visit(browser):
    """Return a function that opens a page and notes every request and message."""
    contexts = []

    def open_page(path, width=1280, scheme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        context.add_init_script(COUNT_VIOLATIONS)
        page = context.new_page()
        page.noted = {"requests": [], "messages": []}
        page.on("request", lambda request: page.noted["requests"].append(request.url))
        page.on("console", lambda message: page.noted["messages"].append(message.text))
        page.on("pageerror", lambda error: page.noted["messages"].append(str(error)))
        page.on("dialog", lambda dialog: page.noted["messages"].append(f"dialog {dialog.message}"))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_no_request_but_the_file_itself_and_no_complaint(visit, path):
    page = visit(path)
    page.wait_for_load_state("networkidle")
    fetched = [url for url in page.noted["requests"] if not url.startswith("data:")]
    assert fetched == [path.as_uri()]
    assert page.noted["messages"] == []
    assert page.evaluate("window.violations") == []


def test_the_violation_counter_would_see_one(visit, path):
    page = visit(path)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_function("window.violations.length > 0")


@pytest.mark.parametrize(
    ("name", "scheme", "width"), [("hostile_page", "light", 320), ("one_epoch_page", "dark", 1280)]
)
def test_axe_finds_nothing(visit, request, name, scheme, width):
    page = visit(request.getfixturevalue(name), width=width, scheme=scheme)
    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    # What passed is not needed, and to report it would take four times as long.
    results = page.evaluate("axe.run({resultTypes: ['violations', 'incomplete']})")
    found = [(rule["id"], node["html"][:200]) for rule in results["violations"] for node in rule["nodes"]]
    assert found == []
    # Invisible text in a figure would be here: axe can't tell its background, so colours are compared below.
    undecided = {rule["id"] for rule in results["incomplete"]}
    assert undecided <= {"color-contrast"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_figures_stands_out_from_the_page(visit, path, scheme):
    page = visit(path, scheme=scheme)
    ratios = page.evaluate(
        """() => {
        const luminance = colour => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
                .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const paper = luminance(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll("svg text")].map(text => {
            const ink = luminance(getComputedStyle(text).fill);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        });
    }"""
    )
    assert len(ratios) > 60
    assert min(ratios) >= 4.5


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_is_wider_than_the_window(visit, path, width):
    page = visit(path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_labels_in_charts_stay_inside_on_a_phone(visit, path):
    page = visit(path, width=320)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".chart svg")].flatMap(svg => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("text")].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
        }).map(text => text.textContent);
    })"""
    )
    assert cut == []


def test_complete_without_javascript(visit, path):
    page = visit(path, java_script_enabled=False)
    assert page.locator("svg").count() == 7
    assert page.locator("#provenance").is_visible()


def test_keyboard_reaches_the_content_first(visit, path):
    page = visit(path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_paper_has_no_blank_page_and_cuts_nothing(visit, path, tmp_path):
    page = visit(path)
    page.emulate_media(media="print", color_scheme="light")
    # An A4 sheet without its margins, at 96 pixels an inch.
    page.set_viewport_size({"width": 672, "height": 980})
    assert page.evaluate("document.documentElement.scrollWidth") <= 672
    page.emulate_media(color_scheme="light")
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    text = subprocess.run(
        [require("pdftotext"), tmp_path / "report.pdf", "-"], capture_output=True, check=True, text=True
    ).stdout
    sheets = text.split("\f")[:-1]
    assert 8 < len(sheets) < 30
    assert all(len(sheet.split()) > 15 for sheet in sheets)
