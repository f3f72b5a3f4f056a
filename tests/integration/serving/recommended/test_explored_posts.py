"""New posts are drawn for places of a list with known chances, and the best of them are found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from social_assets.recommend.exploration.explored_items import (
    TABLE,
    read_policy,
    refit,
    stop_exploring,
)
from social_assets.recommend.exploration.policy import EVEN, LEARNED, Learned
from social_assets.recommend.exploration.tried_posts import EXPOSURES
from social_assets.serving.recommended import explorer
from tests.integration.serving.conftest import Api
from tests.integration.serving.recommended.conftest import USERS, Recommending, ask, ids, reaction

pytestmark = pytest.mark.usefixtures("_read_at_each_request")

NEW = [f"n{number}" for number in range(6)]
BEST = "n4"
PLACES = (2, 4)


@pytest.fixture
def exploring(recommending: Recommending) -> Iterator[Recommending]:
    """Six new posts, which one user has; nothing was shown."""
    warehouse, now = recommending.warehouse, datetime.now(UTC)
    rows = [{**reaction("u0", "p0", now, n), "post_id": post} for n, post in enumerate(NEW)]
    if not warehouse.value("SELECT count() FROM star.dim_post WHERE post_id = 'n0'"):
        warehouse.stream("engagement_events", *rows)
    yield recommending
    stop_exploring(warehouse.client, "test")
    for table in ("cleaned.recommendation_exposures", "cleaned.recommendation_feedback", EXPOSURES):
        warehouse.client.command(f"TRUNCATE TABLE {table} SYNC")


def explore(exploring: Recommending, run: str = "r1") -> Learned:
    return refit(exploring.warehouse.client, run, PLACES, datetime.now(UTC))


def drawn(answer: dict[str, Any]) -> dict[int, tuple[str, float]]:
    return {
        item["rank"]: (item["item_id"], item["propensity"])
        for item in answer["items"]
        if item["propensity"] is not None
    }


def show(exploring: Recommending, rate: dict[str, float], shown: int = 1_200) -> None:
    """What users were shown two days ago with an even chance, and their clicks at these rates."""
    chance = random.Random(7)  # noqa: S311
    day = datetime.now(UTC).replace(hour=10) - timedelta(days=2)
    exposures, feedback = [], []
    for number in range(shown):
        user, item = f"u{number % USERS}", chance.choice(NEW)
        when = day + timedelta(seconds=number)
        same = {"platform": "Instagram", "user_id": user, "item_id": item}
        exposures.append(
            {
                **same,
                "exposure_id": f"e{number}",
                "position": 2,
                "shown_at": when,
                "event_time": when,
                "model": "als",
                "propensity": 1 / len(NEW),
            }
        )
        if chance.random() < rate.get(item, 0.05):
            after = when + timedelta(microseconds=1)
            told = {"feedback_id": f"f{number}", "happened_at": after, "event_time": after}
            feedback.append({**same, **told, "kind": "click"})
    exploring.warehouse.stream("recommendation_exposures", *exposures)
    exploring.warehouse.stream("recommendation_feedback", *feedback)
    exploring.warehouse.backfill(day.date(), day.date(), "recommendation_exposures")


def test_posts_are_drawn_for_the_declared_places_with_their_chances(
    exploring: Recommending, api: Api
) -> None:
    before = ask(api, "u4", limit=5)
    found = explore(exploring)
    assert found.policy.name == EVEN and "nothing is learned" in found.admission.reason
    assert set(NEW) <= set(found.policy.posts)
    answer = ask(api, "u4", limit=5)
    tried = drawn(answer)
    assert sorted(tried) == [*PLACES] and answer["rules"]["explored_places"] == [*PLACES]
    # All that is not in the list and that the user does not have is as likely as any other.
    assert tried[4][1] == pytest.approx(1 / (1 / tried[2][1] - 1))
    others = [item for item in ids(answer) if item not in {item for item, _ in tried.values()}]
    assert others == ids(before)[:3]
    assert all(item["model_rank"] is None for item in answer["items"] if item["propensity"])
    assert ids(ask(api, "u4", limit=5)) == ids(answer)
    assert ids(ask(api, "u4", limit=1)) == ids(before)[:1]


def test_all_users_together_are_shown_all_posts_about_equally_often(
    exploring: Recommending, api: Api
) -> None:
    explore(exploring)
    found = [drawn(ask(api, f"stranger{n}", limit=5)) for n in range(60)]
    chances = {chance for each in found for _, chance in [each[2]]}
    assert len(chances) == 1
    items = {item for each in found for item, _ in each.values()}
    assert len(items) > 0.7 / chances.pop()


def test_no_user_is_shown_a_new_post_again_that_the_user_has(
    exploring: Recommending, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    explore(exploring)
    monkeypatch.setattr(explorer, "DRAWN_SECONDS", 1e-6)  # another draw each time
    seen = {item for _ in range(60) for item, _ in drawn(ask(api, "u0", limit=5)).values()}
    assert seen and not seen & set(NEW)


def test_the_best_new_post_is_found_and_the_policy_is_admitted(
    exploring: Recommending, api: Api
) -> None:
    show(exploring, {BEST: 0.5})
    found = explore(exploring)
    assert found.policy.name == LEARNED and found.admission.passed, found.admission.reason
    figures = found.admission.figures
    assert figures["gain_low"] > 0
    assert figures["doubly_robust_low"] <= figures["snips"] <= figures["doubly_robust_high"]
    group = list(found.policy.groups).index("")
    chances = dict(zip(found.policy.posts, found.policy.chances[group], strict=True))
    assert max(chances, key=lambda post: chances[post]) == BEST and chances[BEST] > 0.5
    rows = exploring.warehouse.client.query(
        f"SELECT item_id, sum(chance) OVER (), policy FROM {TABLE} WHERE user_group = ''\n"
        "ORDER BY chance DESC LIMIT 1"
    ).result_rows
    assert (rows[0][0], round(rows[0][1], 9), rows[0][2]) == (BEST, 1, LEARNED)
    shown = [drawn(ask(api, f"u{n}", limit=3))[2][0] for n in range(1, USERS)]
    assert shown.count(BEST) > USERS / 3


def test_a_policy_that_earns_less_than_what_was_shown_is_not_put_to_use(
    exploring: Recommending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learned chances are turned round: those of the worst post go to the best."""
    from recsys.bandits.linear_thompson import LinearThompson

    before = explore(exploring).policy
    show(exploring, {BEST: 0.5})
    learned = LinearThompson.chances

    def turned(self: Any, *given: Any, **named: Any) -> Any:
        chances = learned(self, *given, **named)
        wrong = chances.max(axis=1, keepdims=True) - chances + 1e-3
        return wrong / wrong.sum(axis=1, keepdims=True)

    monkeypatch.setattr(LinearThompson, "chances", turned)
    found = explore(exploring, "r2")
    assert not found.admission.passed and "is worse than" in found.admission.reason
    assert found.policy.name == EVEN
    assert (found.policy.chances == before.chances).all()
    kept = read_policy(exploring.warehouse.client)
    assert kept is not None and kept.name == EVEN


def test_what_the_answer_tells_comes_back_as_the_chance_of_the_exposure(
    exploring: Recommending, api: Api
) -> None:
    explore(exploring)
    answer = ask(api, "u4", limit=5)
    sent = {
        "exposure_id": "told",
        "shown_at": datetime.now(UTC).isoformat(),
        "platform": "instagram",
        "user_id": "u4",
        "item_ids": ids(answer),
        "model": answer["model"],
        "propensities": [item["propensity"] for item in answer["items"]],
    }
    done = api.client().post("/api/v1/exposures", json={"exposures": [sent]})
    assert done.json() == {"stored": 1}, done.text


def test_without_declared_places_nothing_is_drawn(exploring: Recommending, api: Api) -> None:
    explore(exploring)
    assert drawn(ask(api, "u4"))
    stop_exploring(exploring.warehouse.client, "off")
    assert not drawn(ask(api, "u4"))
