"""Lists obey the rules of the table, whether they were made beforehand or by fold-in."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from social_assets.recommend.list_rules import ServedRules
from social_assets.recommend.top_n import TABLE
from tests.integration.serving.conftest import Api
from tests.integration.serving.recommended.conftest import Recommending, ask, ids

pytestmark = pytest.mark.usefixtures("_read_at_each_request", "_without_rules_afterwards")

FEW = ServedRules(most_of_creator=2)


def creators(posts: list[str]) -> Counter[int]:
    """How many posts of each account: even numbers are of account 1, others of account 2."""
    return Counter(int(post[1:]) % 2 for post in posts)


def test_lists_are_made_by_the_rules_and_the_answer_says_so(
    recommending: Recommending, api: Api
) -> None:
    plain = ask(api, "u4")
    assert plain["rules"] is None
    assert [item["model_rank"] for item in plain["items"]] == [*range(1, len(plain["items"]) + 1)]
    found = recommending.refresh(FEW)
    assert (found.kept, found.gone) == (0, 0)
    answer = ask(api, "u4")
    assert answer["rules"]["most_of_creator"] == 2
    assert creators(ids(answer)) == {0: 2, 1: 2}
    # The place that an item would have without rules.
    assert [item["model_rank"] for item in answer["items"]] == [
        ids(plain).index(item) + 1 for item in ids(answer)
    ]
    rows = recommending.warehouse.client.query(
        f"SELECT item_id, model_rank, rules FROM {TABLE} WHERE user_id = 'u4' ORDER BY rank"
    ).result_rows
    assert [row[0] for row in rows] == ids(answer)
    assert {row[2] for row in rows} == {'{"most_of_creator":2}'}


def test_a_fold_in_obeys_the_rules_of_the_table(recommending: Recommending, api: Api) -> None:
    recommending.refresh(FEW)
    liked = ids(ask(api, "u16"))[0]
    recommending.react("u16", liked)
    answer = ask(api, "u16")
    assert (answer["source"], answer["folded_in"]) == ("fold_in", [liked])
    assert liked not in ids(answer) and creators(ids(answer)) == {0: 2, 1: 2}
    recommending.refresh(FEW)
    again = ask(api, "u16")
    assert again["source"] == "list" and ids(again) == ids(answer)


def test_unchanged_lists_are_kept_under_the_same_rules_and_made_anew_under_others(
    recommending: Recommending,
) -> None:
    users = recommending.refresh(FEW).ranked
    assert (recommending.refresh(FEW).kept, recommending.refresh(FEW).ranked) == (users, 0)
    assert recommending.refresh(ServedRules(diversity=0.3)).ranked == users
    assert recommending.refresh(ServedRules(freshness=0.3)).ranked == users
    # Places at which posts are tried do not change how lists are made.
    tried = ServedRules(freshness=0.3, explored_places=(3,))
    assert recommending.refresh(tried).ranked == 0


def test_what_a_user_was_shown_lately_is_left_out_for_this_user(
    recommending: Recommending, api: Api
) -> None:
    rules = ServedRules(unshown_days=3)
    recommending.refresh(rules)
    first, other = ids(ask(api, "u18"))[0], ids(ask(api, "u20"))
    now = datetime.now(UTC)
    shown = {
        "exposure_id": "shown-u18",
        "position": 1,
        "shown_at": now - timedelta(hours=1),
        "event_time": now - timedelta(hours=1),
        "platform": "Instagram",
        "user_id": "u18",
        "item_id": first,
        "model": "als",
    }
    long_ago = {
        **shown,
        "exposure_id": "long-ago",
        "user_id": "u20",
        "item_id": other[0],
        "shown_at": now - timedelta(days=4),
        "event_time": now - timedelta(days=4),
    }
    recommending.warehouse.stream("recommendation_exposures", shown, long_ago)
    assert recommending.refresh(rules).ranked == 1
    assert first not in ids(ask(api, "u18"))
    assert ids(ask(api, "u20")) == other


def test_lists_of_a_release_without_rules_are_served(recommending: Recommending, api: Api) -> None:
    expected = ids(ask(api, "u4"))
    for column in ("rules", "model_rank"):
        recommending.warehouse.client.command(f"ALTER TABLE {TABLE} DROP COLUMN {column}")
    answer = ask(api, "u4")
    assert (ids(answer), answer["rules"], answer["source"]) == (expected, None, "list")
    # The next refresh makes all lists, with the columns.
    assert recommending.refresh().kept == 0
    assert ids(ask(api, "u4")) == expected
