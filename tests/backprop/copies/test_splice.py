from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.copies.splice import (
    Edit,
    append_child,
    apply,
    as_ascii_superset,
    find_elements,
    insert_child,
    write_attribute,
    write_text,
)

_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6).map(lambda text: write_text(text).decode())
_GAPS = st.sampled_from(["", " ", "\n\t"])
_QUOTED = st.sampled_from(['"/>"', "'>'", '"&quot;"', "'é'", '"</b>"'.replace("<", "&lt;")])


@st.composite
def _elements(draw, depth=0):
    """Draw an element as people and programs write it."""
    name = draw(st.sampled_from(["a", "b", "x:c", "row"]))
    attributes = "".join(f"{draw(_GAPS) or ' '}k{n} = {draw(_QUOTED)}" for n in range(draw(st.integers(0, 2))))
    head = f"{name}{attributes}{draw(_GAPS)}"
    if draw(st.booleans()):
        return f"<{head}/>"
    children = [] if depth > 2 else draw(st.lists(_elements(depth + 1), max_size=3))
    inside = "".join(f"{draw(_TEXTS)}{child}" for child in children)
    return f"<{head}>{inside}{draw(_TEXTS)}<!-- <a> --></{name}{draw(_GAPS)}>"


_DOCUMENTS = st.builds(
    lambda encoding, inside: f'<?xml version="1.0"?>\n<x:r xmlns:x="urn:x">{inside}</x:r>'.encode(encoding),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.lists(_elements(), max_size=3).map("".join),
)


def _read(element):
    return [(e.tag, e.attrib, e.text, e.tail) for e in element.iter()]


@given(_DOCUMENTS)
def test_each_element_is_found_where_it_stands(content):
    elements = find_elements(content, lambda path, _: len(path) > 1)
    root = ElementTree.fromstring(content)
    parsed = [element for element in root.iter() if element is not root]
    assert len(elements) == len(parsed)
    for element, other in zip(sorted(elements, key=lambda element: element.start), parsed, strict=True):
        whole = b'<r xmlns:x="urn:x">%s</r>' % content[element.start : element.end]
        found = ElementTree.fromstring(whole)[0]
        assert element.name == other.tag.rpartition("}")[2]
        assert element.attributes == other.attrib
        other.tail = None
        assert _read(found) == _read(other)


@given(_DOCUMENTS, st.data())
def test_a_child_is_put_behind_the_others(content, data):
    elements = find_elements(content, lambda *_: True)
    chosen = data.draw(st.sampled_from(elements))
    changed = apply(content, [append_child(content, chosen, b"<new/>")])
    place = sorted(elements, key=lambda element: element.start).index(chosen)
    before, after = (list(ElementTree.fromstring(text).iter())[place] for text in (content, changed))
    assert [child.tag for child in after] == [*(child.tag for child in before), "new"]
    assert len(list(ElementTree.fromstring(changed).iter())) == len(elements) + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<w><a/><tail/></w>", b"<w><a/><n/><tail/></w>"),
        (b"<w><a><tail/></a></w>", b"<w><a><tail/></a><n/></w>"),
        (b'<x:w xmlns:x="u"/>', b'<x:w xmlns:x="u"><n/></x:w>'),
    ],
)
def test_a_child_is_put_before_its_successors(content, expected):
    assert apply(content, [insert_child(content, b"<n/>", frozenset({"tail"}))]) == expected


def test_edits_at_one_place_keep_their_order():
    edits = [Edit(1, 1, b"x"), Edit(1, 1, b"y"), Edit(1, 2, b"")]
    assert apply(b"abc", edits) == b"axyc"


def test_utf_16_becomes_utf_8():
    text = '<?xml version="1.0" encoding="UTF-16" standalone="yes"?><a>é</a>'
    changed = as_ascii_superset(text.encode("utf-16"))
    assert changed == text.replace("UTF-16", "UTF-8").encode()
    assert as_ascii_superset(changed) is changed


@given(st.text())
def test_any_text_can_be_written(text):
    content = b"<a k=%s>%s</a>" % (write_attribute(text), write_text(text))
    assert content.isascii()
    element = ElementTree.fromstring(content)
    clean = "".join(c if c in "\t\n\r" or c.isprintable() or c.isspace() or ord(c) > 31 else "\ufffd" for c in text)
    assert len(element.text or "") == len(clean)
    assert (element.text or "").count("\ufffd") >= sum(ord(c) < 32 and c not in "\t\n\r" for c in text)
