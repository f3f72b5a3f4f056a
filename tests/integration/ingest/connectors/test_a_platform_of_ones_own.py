"""A sixth platform is one module of the user: Mastodon, in under 80 lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from social_assets.ingest.connectors import registry
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.errors import (
    AccountGoneError,
    ConnectorDeclarationError,
    ThrottledError,
)
from tests.integration.ingest.connectors.collecting import Collecting, raw
from tests.integration.ingest.connectors.replay_server import Given, Replayed

MASTODON = '''
"""Mastodon, by its REST API."""

from datetime import timedelta

from social_assets.ingest.connectors.connector import ApiEndpoint, AskedFor, Connector
from social_assets.ingest.connectors.declaration.limits import Limit, Rolling
from social_assets.ingest.connectors.declaration.paging import LinkHeader, NewestFirst

CONNECTOR = Connector(
    platform="Mastodon",
    base_url="https://mastodon.example",
    limits=(Limit(300, Rolling(300)),),
    lookup=ApiEndpoint("lookup", "/api/v1/accounts/lookup", (), "", query={"acct": "$handle"}),
    endpoints=(
        ApiEndpoint("account", "/api/v1/accounts/$account_id", ("profiles",), ""),
        ApiEndpoint(
            "statuses",
            "/api/v1/accounts/$account_id/statuses",
            ("posts_collected", "post_counters"),
            "[]",
            query={"limit": "40"},
            paging=LinkHeader(),
            since=NewestFirst("created_at", timedelta(days=7)),
        ),
        ApiEndpoint(
            "comments",
            "/api/v1/statuses/$parent_id/context",
            ("comments",),
            "descendants",
            asked_for=AskedFor.POST,
        ),
    ),
)

SOURCES = {
    "profiles": {
        "account_id": "record.id",
        "handle": "record.acct",
        "display_name": "record.display_name",
        "biography": "record.note",
        "followers": "record.followers_count",
        "following": "record.following_count",
        "posts": "record.statuses_count",
    },
    "posts_collected": {"post_id": "record.id", "published_at": "record.created_at"},
    "post_counters": {
        "post_id": "record.id",
        "likes": "record.favourites_count",
        "comments": "record.replies_count",
        "shares": "record.reblogs_count",
    },
    "comments": {
        "comment_id": "record.id",
        "published_at": "record.created_at",
        "content": "record.content",
    },
}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    found = tmp_path / "connectors"
    found.mkdir()
    monkeypatch.setenv(registry.CONNECTORS, str(found))
    registry.registered_connectors.cache_clear()
    yield found
    registry.registered_connectors.cache_clear()


@pytest.fixture
def mastodon(folder: Path, server: Replayed, monkeypatch: pytest.MonkeyPatch) -> Connector:
    (folder / "mastodon.py").write_text(MASTODON)
    monkeypatch.setenv("SOCIAL_ASSETS_MASTODON_URL", server.url)
    return registry.connector_of("mastodon")


def test_mastodon_is_one_module_of_under_80_lines(mastodon: Connector) -> None:
    assert len(MASTODON.strip().splitlines()) < 80
    (found,) = [each for each in registry.registered_connectors().found if each.sources]
    assert (found.connector, set(found.sources)) == (
        mastodon,
        {"profiles", "posts_collected", "post_counters", "comments"},
    )


@pytest.mark.usefixtures("mastodon")
def test_mastodon_is_collected_from(collecting: Collecting, server: Replayed) -> None:
    collecting.add("Mastodon")
    here = f"{server.url}/api/v1/accounts/9/statuses"
    link = f'<{here}?max_id=2&limit=40>; rel="next", <{here}?min_id=3>; rel="prev"'
    first = b'[{"id":"3", "created_at":"2026-11-20T08:00:00.000Z"},{"id":"2"}]'
    server.give(
        Given(first, 200, {"link": link}),
        Given(b'[{"id":"1"}]', 200, {"link": f'<{here}?min_id=1>; rel="prev"'}),
        {"ancestors": [], "descendants": [{"id": "7"}]},
        {"id": "9", "acct": "alder"},
    )
    pages, end = collecting.chain("Mastodon", "9", "statuses")
    assert raw(pages) == [
        b'{"id":"3", "created_at":"2026-11-20T08:00:00.000Z"}',
        b'{"id":"2"}',
        b'{"id":"1"}',
    ]
    assert end.since == "2026-11-20T08:00:00+00:00"
    assert server.asked[1].query == {"max_id": "2", "limit": "40"}
    comments, _ = collecting.chain("Mastodon", "9", "comments", parent_id="3")
    assert raw(comments) == [b'{"id": "7"}']
    profile, _ = collecting.chain("Mastodon", "9", "account")
    assert raw(profile) == [b'{"id": "9", "acct": "alder"}']


@pytest.mark.usefixtures("mastodon")
def test_what_its_statuses_mean_needs_no_declaration(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Mastodon")
    server.give(Given({"error": "Record not found"}, 404))
    with pytest.raises(AccountGoneError):
        collecting.chain("Mastodon", "9", "account")
    server.give(Given({"error": "Too many requests"}, 429, {"retry-after": "77"}))
    with pytest.raises(ThrottledError) as stopping:
        collecting.chain("Mastodon", "9", "account")
    assert (stopping.value.until - collecting.clock()).total_seconds() == 77


def test_a_broken_module_stops_no_other_platform(folder: Path) -> None:
    (folder / "broken.py").write_text("1 / 0")
    (folder / "empty.py").write_text("X = 1")
    (folder / "_shared.py").write_text("raise SystemExit")
    broken = registry.registered_connectors().broken
    assert [(each.path.name, each.reason) for each in broken] == [
        ("broken.py", "ZeroDivisionError: division by zero"),
        ("empty.py", "it has no CONNECTOR, a social_assets...Connector"),
    ]
    assert registry.connector_of("instagram").platform == "Instagram"
    with pytest.raises(ConnectorDeclarationError, match=r"no connector for 'broken'.*division"):
        registry.connector_of("broken")


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://127.0.0.1", "http://127.0.0.1.evil.org", "https://"]
)
def test_tokens_do_not_travel_in_the_clear(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_X_URL", url)
    with pytest.raises(ConnectorDeclarationError, match="SOCIAL_ASSETS_X_URL is not an https"):
        registry.base_url_of(registry.connector_of("x"))
