"""A server holds as many lists as it may, and answers all users the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from social_assets.recommend import fresh_lists
from social_assets.serving.recommended import served_lists
from tests.integration.serving.conftest import Api, running
from tests.integration.serving.recommended.conftest import USERS, Recommending, ask, ids

pytestmark = pytest.mark.usefixtures("_read_at_each_request")


def test_a_list_that_is_not_held_is_read_when_it_is_asked_for(
    recommending: Recommending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_lists, "_MOST_READ_ALONE", 3)
    with running(recommending.home) as api:
        expected = {f"u{user}": ids(ask(api, f"u{user}")) for user in range(USERS)}
    with running(recommending.home, most_lists=4) as api:
        for _ in range(2):
            found = {user: ask(api, user) for user in expected}
            assert {user: ids(answer) for user, answer in found.items()} == expected
            assert {answer["source"] for answer in found.values()} <= {"list", "fold_in"}
        assert ask(api, "nobody")["source"] == "popularity"
        lists = api.app.state.services.lists
        assert len(lists._content.lists) == 4
        assert len(lists._read_alone) <= 3


def test_the_clicks_that_a_server_remembers_have_a_bound(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = api.app.state.services.lists
    now = datetime.now(UTC)
    lists.note_clicks((f"u{n}", "p1", now) for n in range(served_lists._MOST_CLICKS + 10))
    assert len(lists._clicks) == served_lists._MOST_CLICKS


def test_the_newest_interactions_of_a_user_are_told_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fresh_lists, "MOST_FOLDED", 2)
    now = datetime.now(UTC)
    clicks = [("a", f"p{n}", now - timedelta(hours=n)) for n in range(5)] + [("b", "p9", now)]
    kept = fresh_lists._newest(fresh_lists.click_rows(clicks))
    assert list(zip(kept["user_id"].to_pylist(), kept["item_id"].to_pylist(), strict=True)) == [
        ("a", "p0"),
        ("a", "p1"),
        ("b", "p9"),
    ]
    assert fresh_lists._newest(fresh_lists.click_rows([])).num_rows == 0
