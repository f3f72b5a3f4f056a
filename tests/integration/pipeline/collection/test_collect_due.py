"""What is due is collected from a real server; who cannot be collected is paused, alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from social_assets.contracts.registry import contract
from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_account import Collected, DueEndpoint
from social_assets.demo.served_accounts import has_others, release_served, track_served
from social_assets.ingest.connectors.registry import connector_of
from social_assets.pipeline.collection import due_chains
from social_assets.pipeline.collection.due_chains import DueChains
from tests.integration.pipeline.collection.conftest import CollectingHome

X = connector_of("x")


def endpoints(collecting: CollectingHome, account: str) -> set[str]:
    return collecting.tracked.endpoint_names("X", [account]).get(account, set())


def test_a_handle_is_looked_up_and_an_unknown_one_is_paused_alone(
    collecting: CollectingHome,
) -> None:
    (account,) = track_served(collecting.url, collecting.home, CollectionPlan(), ["x"])
    held = collecting.get("/__truth?platform=x")["platforms"]["x"][account.account_id]
    handle = held["profile"]["username"]
    collecting.tracked.untrack_all([account])
    for name in (handle, "nobody_has_this_name"):
        collecting.tracked.track(Account("X", name), CollectionPlan())
    done = collecting.collect("x")
    assert [str(each.account) for each in done.errors] == ["X:nobody_has_this_name"]
    found = collecting.tracked.get("X", handle)
    assert (found.account_id, found.paused_at) == (account.account_id, None)
    assert found.last_collected_at is not None
    paused = collecting.tracked.get("X", "nobody_has_this_name")
    assert "the account does not exist" in str(paused.paused_reason)
    posts = collecting.stores.of(contract("posts_collected")).cleaned.read()
    assert set(posts["account_id"].to_pylist()) == {account.account_id}
    assert done.days.keys() >= {"posts_collected", "post_counters", "profiles"}
    counters = collecting.stores.of(contract("post_counters")).cleaned.read()
    assert set(counters["endpoint"].to_pylist()) == {"posts", "posts_by_id"}
    assert collecting.collect("x").chains == 0


def test_a_revoked_token_pauses_its_account_alone_and_a_resumed_one_goes_on(
    collecting: CollectingHome,
) -> None:
    (account,) = track_served(collecting.url, collecting.home, CollectionPlan(), ["tiktok"])
    given = {"platform": "tiktok", "account": account.account_id}
    collecting.post("/__tokens", **given, action="revoke")
    done = collecting.collect("tiktok")
    assert done.errors
    paused = collecting.tracked.get("TikTok", account.account_id)
    assert "let its owner authorize the app" in str(paused.paused_reason)
    assert done.records == 0
    assert collecting.collect("tiktok").chains == 0


def test_an_account_whose_token_a_killed_process_found_revoked_is_paused(
    collecting: CollectingHome,
) -> None:
    (account,) = track_served(collecting.url, collecting.home, CollectionPlan(), ["tiktok"])
    credential = collecting.credentials.of_account("TikTok", account.account_id)
    assert credential is not None
    collecting.credentials.revoke(credential.id, "the platform refuses the token")
    collecting.collect("tiktok")
    paused = collecting.tracked.get("TikTok", account.account_id)
    assert "let its owner authorize the app" in str(paused.paused_reason)


def test_an_account_that_nobody_may_ask_for_says_what_it_lacks_and_goes_on_when_it_has_it(
    collecting: CollectingHome,
) -> None:
    (account,) = track_served(collecting.url, collecting.home, CollectionPlan(), ["tiktok"])
    collecting.credentials.remove("TikTok", account.account_id)
    collecting.collect("tiktok")
    found = collecting.tracked.get("TikTok", account.account_id)
    assert "social-assets credentials add tiktok" in str(found.problem)
    assert found.paused_at is None
    assert collecting.tracked.without_endpoints("TikTok", 1) == []
    track_served(collecting.url, collecting.home, CollectionPlan(), ["tiktok"])
    collecting.tracked.make_due("TikTok", account.account_id)
    assert collecting.collect("tiktok").records > 0


def test_an_account_that_gets_a_credential_of_its_own_gets_its_endpoints(
    collecting: CollectingHome,
) -> None:
    (account,) = track_served(collecting.url, collecting.home, CollectionPlan(), ["x"])
    collecting.tracked.ensure_endpoints("X", account.account_id, [("no_such_endpoint", False)])
    collecting.tracked.resolved("X", account.account_id, account.account_id)
    collecting.collect("x", seconds=0.0)
    assert endpoints(collecting, account.account_id) == {"no_such_endpoint"}, "no time was left"
    collecting.collect("x")
    assert endpoints(collecting, account.account_id) == {each.name for each in X.endpoints}


def test_posts_that_were_asked_about_longest_ago_come_first(
    collecting: CollectingHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime.now(UTC)
    collecting.tracked.track(Account("X", "1"), CollectionPlan())
    collecting.tracked.ensure_endpoints("X", "1", [("comments", True)])
    monkeypatch.setattr(
        due_chains, "posts_of", lambda *_, **__: {"1": ("new", "asked", "failed", "first")}
    )

    def collected(post: str, ago: timedelta, problem: str | None = None) -> Collected:
        return Collected("X", "1", "comments", post, None, None, at - ago, problem, is_last=False)

    collecting.tracked.finish([collected("asked", timedelta(hours=1))])
    collecting.tracked.finish([collected("first", timedelta(hours=2))])
    collecting.tracked.finish([collected("failed", timedelta(minutes=1), "no calls are left")])
    due = DueEndpoint("X", "1", "1", "comments", at, False, CollectionPlan(), at)
    chains = DueChains(X, collecting.tracked, collecting.stores.clickhouse, at).of_posts([due])
    in_turn = list(chains)
    assert [each.start.parent_id for each in in_turn] == ["new", "failed", "first", "asked"]
    assert [each.is_last for each in in_turn] == [False, False, False, True]


def test_a_collection_that_goes_on_leaves_out_the_posts_that_it_has_asked_about(
    collecting: CollectingHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, plan = datetime.now(UTC), CollectionPlan()
    posts = ("asked", "stopped", "asked_before", "failed", "new")
    monkeypatch.setattr(due_chains, "posts_of", lambda *_, **__: {"1": posts})
    collecting.tracked.track(Account("X", "1"), plan)
    collecting.tracked.ensure_endpoints("X", "1", [("comments", True)])

    def collected(post: str, hours: int, resume: str | None = None) -> None:
        chain = Collected(
            "X", "1", "comments", post, None, resume, at - timedelta(hours=hours), is_last=False
        )
        collecting.tracked.finish([chain])

    def asked(since_hours: int) -> set[str | None]:
        due_since = at - timedelta(hours=since_hours)
        due = DueEndpoint("X", "1", "1", "comments", at, False, plan, due_since)
        chains = DueChains(X, collecting.tracked, collecting.stores.clickhouse, at)
        return {each.start.parent_id for each in chains.of_posts([due])}

    collected("asked", hours=1)
    collected("stopped", hours=1, resume="page 2")
    collected("asked_before", hours=3)
    assert asked(since_hours=2) == {"stopped", "asked_before", "failed", "new"}
    assert asked(since_hours=30) == {"stopped", "failed", "new"}
    for post in posts:
        collected(post, hours=1)
    assert asked(since_hours=2) == set()
    assert collecting.tracked.due("X", at, 9) == [], "then the endpoint is collected"
    assert asked(since_hours=1) == set(posts), "and when it is due again, all have their turn"


def test_comments_are_asked_for_again_soon_if_the_posts_could_not_be_collected(
    collecting: CollectingHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, plan = datetime.now(UTC), CollectionPlan()
    monkeypatch.setattr(due_chains, "posts_of", lambda *_, **__: {})
    collecting.tracked.track(Account("X", "1"), plan)
    collecting.tracked.ensure_endpoints("X", "1", [("posts", False), ("comments", True)])
    due = DueEndpoint("X", "1", "1", "comments", at, False, plan, at)

    def collect(at: datetime) -> None:
        chains = DueChains(X, collecting.tracked, collecting.stores.clickhouse, at)
        assert list(chains.of_posts([due])) == []

    def is_due(at: datetime) -> bool:
        return "comments" in {each.endpoint for each in collecting.tracked.due("X", at, 9)}

    collect(at)
    assert "could not be collected yet" in str(collecting.tracked.get("X", "1").problem)
    assert not is_due(at)
    assert is_due(at + timedelta(minutes=1))
    later = at + timedelta(minutes=1)
    collecting.tracked.finish([Collected("X", "1", "posts", "", None, None, later)])
    collect(later)
    assert not is_due(later + timedelta(minutes=5)), "an account without posts is collected"


def test_what_a_killed_demonstration_left_is_the_servers_and_is_released(
    collecting: CollectingHome,
) -> None:
    url, home = collecting.url, collecting.home
    track_served(url, home, CollectionPlan())
    assert not has_others(url, home)
    release_served(url, home, "the server ended")
    release_served(url, home, "the server ended")
    assert collecting.credentials.list() == []
    assert {each.paused_reason for each in collecting.tracked.list()} == {"the server ended"}
    collecting.tracked.track(Account("X", "a_persons_own"), CollectionPlan())
    assert has_others(url, home)
