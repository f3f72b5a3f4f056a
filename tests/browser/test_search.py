"""A person who searches: words, marks, filters in the URL, pages, errors, a phone, the dark."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.searched_texts import RIVERS

pytestmark = pytest.mark.browser

PICTURES = "SEARCH_PICTURES"
"""Environment variable: a folder for pictures of the page, to be looked at."""


def opened(watched: Watched, query: str = "") -> Page:
    watched.page.goto(watched.site.url(f"/search{query}"))
    if "q=" in query:
        watched.page.wait_for_selector("body[data-loads]")
    return watched.page


def pictured(page: Page, name: str) -> None:
    if folder := os.environ.get(PICTURES):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_words_are_found_and_marked(watched: Watched) -> None:
    page = opened(watched)
    expect(page.locator("#count")).to_have_text(re.compile("Type what you look for"))
    page.keyboard.type("river walk")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=river\+walk"))
    expect(page.locator("#results li")).to_have_count(1)
    expect(page.locator("#results mark")).to_have_text(["walk", "river", "river"])
    expect(page.locator("#count")).to_have_text("1 match.")
    pictured(page, "found")


def test_a_text_with_markup_is_shown_as_text(watched: Watched) -> None:
    page = opened(watched, "?q=rain")
    expect(page.locator("#results .found")).to_have_text(
        "<img src=x onerror=alert(1)> & rain by the river"
    )
    assert page.locator("#results img").count() == 0


def test_words_without_spaces_and_emoji_are_marked_where_they_stand(watched: Watched) -> None:
    page = opened(watched, "?q=タワー")
    expect(page.locator("#results mark")).to_have_text(["タワー"])
    page = opened(watched, "?q=🔥")
    expect(page.locator("#results mark")).to_have_text(["🔥"])


def test_filters_are_in_the_url_and_go_back(watched: Watched) -> None:
    page = opened(watched, "?q=river")
    expect(page.locator("#count")).to_have_text(f"{RIVERS + 2} matches.")
    page.get_by_label("Platform").select_option("Instagram")
    page.wait_for_url(re.compile("platform=Instagram"))
    expect(page.locator("#count")).to_have_text("1 match.")
    page.get_by_label("Account").fill("X:7")
    page.get_by_label("Account").press("Enter")
    expect(page.locator("#count")).to_have_text(re.compile("Nothing is found"))
    pictured(page, "empty")
    page.go_back()
    expect(page.locator("#count")).to_have_text("1 match.")
    page.reload()
    expect(page.get_by_label("Platform")).to_have_value("Instagram")
    expect(page.locator("#count")).to_have_text("1 match.")


def test_more_results_come_below_and_have_the_focus(watched: Watched) -> None:
    page = opened(watched, "?q=river&sort=newest")
    expect(page.locator("#results li")).to_have_count(20)
    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.locator("#results li")).to_have_count(RIVERS + 2)
    expect(page.locator("#results li:nth-child(21) a")).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_an_error_says_what_to_do(watched: Watched) -> None:
    page = opened(watched, '?q="river')
    expect(page.get_by_role("alert")).to_have_text(re.compile('Close the phrase: "two words"'))
    expect(page.locator("#results li")).to_have_count(0)
    pictured(page, "error")
    # The browser reports the answer 400 itself.
    watched.faults[:] = [each for each in watched.faults if "400" not in each]


def test_a_result_leads_to_its_post(watched: Watched) -> None:
    page = opened(watched, "?q=walk")
    page.locator("#results a").first.click()
    page.wait_for_url(re.compile(r"post_detail\?f\.post=p_walk"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(watched: Watched, scheme: str) -> None:
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.set_viewport_size({"width": 360, "height": 740})
    page = opened(watched, "?q=river")
    expect(page.locator("#results li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    pictured(page, f"phone_{scheme}")
    page.set_viewport_size({"width": 1280, "height": 900})
    pictured(page, f"wide_{scheme}")


def test_every_control_has_a_name(watched: Watched) -> None:
    page = opened(watched, "?q=river")
    for control in page.locator("#search input, #search select, #search button").all():
        assert control.evaluate("each => each.labels?.length || each.textContent.trim()")
