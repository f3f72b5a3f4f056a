"""`social-assets collect` against the platform server: from tracked accounts to cleaned tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from bench.collection.served_platforms import ServedPlatforms, served_platforms
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.demo.served_accounts import track_served
from social_assets.ingest.connectors.registry import connector_of


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[ServedPlatforms]:
    with served_platforms(home, seed=5, accounts=1) as found:
        track_served(found.url, home, CollectionPlan())
        yield found


pytestmark = pytest.mark.endurance


def collect(home: Home, capsys: pytest.CaptureFixture[str], *said: str) -> list[dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(home.path), "collect", "--format", "json", *said])
    assert ended.value.code == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def rows(query: str) -> list[tuple[object, ...]]:
    with ClickHouseResource().client() as client:
        return [tuple(row) for row in client.query(query).result_rows]


def test_what_the_platforms_hold_is_in_the_cleaned_tables(
    served: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    found = collect(served.home, capsys)
    assert {each["platform"] for each in found} == {connector_of(p).platform for p in PLATFORMS}
    for platform in PLATFORMS:
        name = connector_of(platform).platform
        held = served.truth(platform)
        posts = {
            post["post_id"]
            for account in held.values()
            for post in account["posts"]
            if not post["deleted_at"]
        }
        query = f"SELECT DISTINCT post_id FROM cleaned.posts_collected WHERE platform = '{name}'"
        assert {post for (post,) in rows(query)} == posts
        query = f"SELECT DISTINCT account_id FROM cleaned.profiles WHERE platform = '{name}'"
        assert {account for (account,) in rows(query)} == set(held)
    assert served.get("/__ledger")["violations_total"] == 0


def test_nothing_is_due_after_a_collection(
    served: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(served.home, capsys) == []


def test_an_account_that_is_named_is_collected_though_it_is_not_due(
    served: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    account = next(iter(served.truth("x")))
    (found,) = collect(served.home, capsys, "--account", f"x:{account}", "--all")
    assert found["platform"] == "X"
    assert int(str(found["records"])) > 0


def test_what_was_published_since_a_time_is_read_again(
    served: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    (account, held) = next(iter(served.truth("x").items()))
    times = sorted(post["published_at"] for post in held["posts"] if not post["deleted_at"])
    begin = datetime.fromisoformat(times[len(times) // 2])
    said = ("--account", f"x:{account}", "--since", f"{begin:%Y-%m-%dT%H:%M:%S}")
    (found,) = collect(served.home, capsys, *said)
    (everything,) = collect(served.home, capsys, "--account", f"x:{account}", "--all")
    (nothing,) = collect(served.home, capsys, "--account", f"x:{account}")
    counts = [int(str(each["records"])) for each in (nothing, found, everything)]
    assert counts[0] < counts[1] < counts[2]
