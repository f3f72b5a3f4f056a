"""The HTML of the page Search: its form and an empty list, which the script fills.

Belongs here: the markup. The script asks `/api/v1/search`; texts of people never come in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from social_assets.serving.dashboards.page import Shell, html_page
from social_assets.serving.search.question import LONGEST_TEXT, Order
from social_assets.warehouse.search_tables import KINDS, LABELS

_RANGES = (
    ("", "All time"),
    ("last_24_hours", "Last 24 hours"),
    ("last_7_days", "Last 7 days"),
    ("last_30_days", "Last 30 days"),
    ("last_90_days", "Last 90 days"),
    ("last_365_days", "Last 365 days"),
)
_ORDER_WORDS = {
    Order.RELEVANCE: "Most relevant",
    Order.NEWEST: "Newest",
    Order.ENGAGEMENT: "Most engagement",
}


def search_page(shell: Shell) -> str:
    """The page."""
    from social_assets.contracts.vocabulary import PLATFORM

    platforms = ((name, name) for name in sorted(PLATFORM.canonical) if name != "Unknown")
    labels = ((name, name.capitalize()) for name in LABELS)
    kinds = ((name, f"{name.capitalize()}s") for name in KINDS)
    main = (
        "<h1>Search</h1><p>Posts and comments by their text.</p>"
        '<form id="search" role="search" class="search" aria-label="Search posts and comments">'
        '<p class="ask"><label class="unseen" for="q">Search for</label>'
        f'<input id="q" name="q" type="search" maxlength="{LONGEST_TEXT}" autocomplete="off"'
        ' aria-describedby="syntax" placeholder="Words, &quot;a phrase&quot;, begin*, #tag, @name">'
        '<button class="button primary">Search</button></p>'
        '<p id="syntax" class="syntax">All words must be there. <kbd>"two words"</kbd> one after '
        "the other, <kbd>rain*</kbd> beginnings, <kbd>#tag</kbd>, <kbd>@name</kbd>, "
        "<kbd>-word</kbd> without it.</p>"
        '<div class="controls">'
        f"{_select('Kind', 'kind', kinds, 'Posts and comments')}"
        f"{_select('Platform', 'platform', platforms, 'All platforms')}"
        '<label>Account <input name="account" list="accounts" placeholder="Platform:id"'
        ' autocomplete="off"></label><datalist id="accounts"></datalist>'
        f"{_select('Sentiment', 'sentiment', labels, 'Any')}"
        f"{_select('Range', 'range', _RANGES)}"
        f"{_select('Order', 'sort', ((o.value, _ORDER_WORDS[o]) for o in Order))}"
        "</div></form>"
        '<p id="count" class="count" role="status"></p>'
        '<p id="search-problem" class="problem" role="alert"></p>'
        '<ol id="results" class="results" aria-label="Results"></ol>'
        '<p><button type="button" class="button" id="more" hidden>Show more</button></p>'
    )
    return html_page(shell, "Search", main, script="search.js", current="search")


def _select(title: str, name: str, options: Iterable[tuple[str, str]], every: str = "") -> str:
    first = (("", every),) if every else ()
    listed = "".join(
        f'<option value="{escape(value)}">{escape(text)}</option>'
        for value, text in (*first, *options)
    )
    return f'<label>{title} <select name="{name}">{listed}</select></label>'
