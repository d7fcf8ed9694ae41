import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from jinja2 import UndefinedError

from reports.render import page_environment

SVG = "{http://www.w3.org/2000/svg}"


class Elements(HTMLParser):
    """Collect every start tag with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture(scope="module", params=["hostile_page", "one_epoch_page"])
def html(request):
    return request.getfixturevalue(request.param).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(html):
    return Elements(html).found


def test_page_is_small(html):
    assert len(html.encode()) < 1_000_000


def test_hostile_names_stay_text(html, elements):
    assert "&lt;script&gt;alert(1)" in html
    assert {tag for tag, _ in elements}.isdisjoint({"iframe", "object", "form"})
    run = [attributes for tag, attributes in elements if tag == "script" and "type" not in attributes]
    assert run == [{}]  # the page's own, inline; all others are data


def test_nothing_that_the_policy_would_block(elements):
    for tag, attributes in elements:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert [tag for tag, _ in elements].count("style") == 1


def test_policy_admits_the_pages_own_style_and_script_alone(html):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1).replace("&#39;", "'")
    digests = {}
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL).group(1)
        digests[tag] = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert policy.startswith(
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "img-src data:"
    )
    assert "unsafe" not in policy


def test_nothing_is_fetched(elements):
    for _, attributes in elements:
        for name in ("src", "href", "action", "data"):
            if attributes.get(name):
                assert attributes[name].startswith(("#", "data:"))


def test_ids_are_unique_and_references_resolve(html, elements):
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
        if (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


def test_every_figure_has_title_and_description(html):
    figures = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
    assert len(figures) == (8 if 'id="study"' in html else 7)
    for figure in figures:
        assert figure.get("role") == "img"
        title, description = figure.find(f"{SVG}title"), figure.find(f"{SVG}desc")
        assert title.text
        assert len(description.text) > 40
        assert figure.get("aria-labelledby").split() == [title.get("id"), description.get("id")]


def test_headings_descend_one_by_one(elements):
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_scrolling_region_can_be_reached_and_has_a_name_of_its_own(elements):
    regions = [attributes for tag, attributes in elements if attributes.get("role") == "region"]
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)
    panels = [region["aria-label"] for region in regions if not region["aria-label"].startswith("Formula")]
    assert len(panels) == len(set(panels))


def test_same_inputs_same_bytes(make_page):
    assert make_page().read_bytes() == make_page().read_bytes()


def test_an_undefined_variable_is_an_error():
    with pytest.raises(UndefinedError):
        page_environment().from_string("{{ forgotten }}").render()


def test_page_without_author_names_nobody(make_page):
    from reports.view import Heading

    html = make_page(heading=Heading()).read_text(encoding="utf-8")
    assert 'class="author"' not in html
    assert 'name="author"' not in html


@pytest.mark.parametrize(
    ("learning_rate", "told"),
    [
        (1.0, []),
        (1e6, ["is stuck from iteration 1 on"]),
        (1e8, ["from iteration 1 on the class formula overflows", "overflows: from iteration 1 on"]),
    ],
)
def test_learning_rate_that_overflows_or_gets_stuck_is_told(make_page, learning_rate, told):
    html = make_page(learning_rate=learning_rate, preset="class-0.01-0.99").read_text(encoding="utf-8")
    text = html.partition("</style>")[2].partition("<script>")[0]  # the script has these words for any rate
    assert [words for words in told if words not in text] == []
    assert ("overflows" in text) is (learning_rate == 1e8)
    assert ("is stuck" in text) is (learning_rate == 1e6)
