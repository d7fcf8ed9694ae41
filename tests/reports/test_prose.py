import pytest
from jinja2 import DictLoader, UndefinedError

from reports import prose as module
from reports.handin.markdown import markdown_environment
from reports.prose import prose, sentences
from reports.render import page_environment

TEMPLATE = """
{% macro two(value) %}
One of {{ value }}
words,{{ "\\u00a0" }}kept together.

{% if value == "many" %}
Only of many.

{% endif %}
The last.
{% endmacro %}
{% macro silent(value) %}{% if not value %}Nothing.{% endif %}{% endmacro %}
"""


@pytest.fixture
def written(monkeypatch):
    """Let templates/prose hold the template above alone."""
    module._environment.cache_clear()
    monkeypatch.setattr(module, "FileSystemLoader", lambda _: DictLoader({"t.txt": TEMPLATE}))
    yield
    module._environment.cache_clear()


def test_paragraphs_are_sentences_of_one_line_each(written):
    assert sentences("t.two", "few") == ("One of few words,\N{NO-BREAK SPACE}kept together.", "The last.")
    assert sentences("t.two", "many")[1:] == ("Only of many.", "The last.")
    assert prose("t.two", "few").endswith("kept together. The last.")


def test_a_macro_that_says_nothing_gives_nothing(written):
    assert sentences("t.silent", 1) == ()
    assert prose("t.silent", 1) == ""


def test_page_and_readme_escape_what_they_are_given_each_in_its_way(written):
    template = '{{ prose("t.two", "<i>_x_") }}'
    assert "One of &lt;i&gt;_x_ words" in page_environment().from_string(template).render()
    assert "One of \\<i\\>\\_x\\_ words" in markdown_environment().from_string(template).render()


def test_what_is_not_there_is_an_error(written):
    with pytest.raises(UndefinedError):
        prose("t.two")
    with pytest.raises(AttributeError):
        prose("t.three")
