"""From a count of the confusion matrix to the images behind it, and back to all of them."""

import pytest
import records
from tabs import axe_findings


@pytest.fixture
def page(visit, hostile_page):
    return visit(hostile_page)


def shown(page):
    return [group.get_attribute("aria-label") for group in page.locator(".mistake").filter(visible=True).all()]


ALL = [f"{true} read as {predicted}" for true, predicted in sorted(records.MISTAKES)]


def test_every_wrong_count_is_a_link_to_as_many_images(page):
    links = page.locator("#confusion a")
    assert links.count() == len(records.MISTAKES)
    for (true, predicted), count in records.MISTAKES.items():
        cell = page.locator(f"#confusion tbody tr:nth-child({true + 1}) td:nth-child({predicted + 2}) a")
        assert cell.inner_text().startswith(str(count))
        assert page.locator(f"{cell.get_attribute('href')} img").count() == count


def test_a_count_shows_its_images_alone_and_the_button_all_of_them(page):
    assert shown(page) == ALL
    page.locator("a[href='#confusion-4-9']").first.click()
    assert shown(page) == ["4 read as 9"]
    assert page.locator("#shown").inner_text() == "4 read as 9: 7 images."
    assert page.locator("#confusion a[aria-current]").count() == 1
    page.locator("a[href='#confusion-7-2']").first.click()
    assert shown(page) == ["7 read as 2"]
    page.get_by_role("button", name="Show all").click()
    assert shown(page) == ALL
    assert page.locator("#shown").inner_text() == "All 42 images shown."
    assert page.locator("#confusion a[aria-current]").count() == 0


def test_by_keyboard(page):
    page.locator("a[href='#confusion-4-9']").first.focus()
    page.keyboard.press("Enter")
    assert shown(page) == ["4 read as 9"]
    page.keyboard.press("Escape")
    assert shown(page) == ALL
    # The focus is where the choice was made, not lost with the button.
    assert page.evaluate("document.activeElement.hash") == "#confusion-4-9"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the same count again takes the choice back
    assert shown(page) == ALL


def test_without_javascript_the_link_leads_there_and_back(visit, hostile_page):
    page = visit(hostile_page, java_script_enabled=False)
    assert shown(page) == ALL
    page.locator("a[href='#confusion-9-4']").first.click()
    assert page.url.endswith("#confusion-9-4")
    back = page.locator("#confusion-9-4 .back")
    assert back.is_visible()
    assert page.locator(".back").filter(visible=True).count() == 1
    back.click()
    assert page.url.endswith("#confusion")


def test_a_page_of_no_mistakes_has_no_complaint(visit, flawless_page):
    page = visit(flawless_page)
    assert page.locator("#confusion a, .mistake, #shown, #show-all").count() == 0
    assert page.locator("#confusion tbody td").first.inner_text() == "980"
    page.locator("#confusion tbody td").first.click()
    page.keyboard.press("Escape")
    assert page.noted["messages"] == []
    assert axe_findings(page, "section[aria-labelledby=mistakes]") == []
