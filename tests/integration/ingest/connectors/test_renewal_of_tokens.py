"""Tokens are renewed by one process at a time, and stored before they are used."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from social_assets.control.collection.credentials import CredentialRecord, Tokens
from social_assets.ingest.connectors.add_credential import renew
from social_assets.ingest.connectors.errors import CollectionError, TokenRevokedError
from social_assets.ingest.connectors.registry import connector_of
from tests.integration.ingest.connectors.collecting import NOW, Collecting, raw
from tests.integration.ingest.connectors.replay_server import Asked, Given, Replayed

OLD = Tokens(
    "ACCESS-1",
    "REFRESH-1",
    "CLIENT",
    "CLIENT-SECRET",
    access_expires_at=NOW + timedelta(minutes=5),
    final_expires_at=NOW + timedelta(days=9),
    obtained_at=NOW - timedelta(hours=2),
)
SECRETS = ("ACCESS-", "REFRESH-", "CLIENT-SECRET")


class TokenServer:
    """Gives a new token family with each refresh; an old refresh token is refused."""

    def __init__(self, server: Replayed) -> None:
        self.server = server
        self.number = 1
        self.rotates = True
        server.answer = self.answer

    def answer(self, asked: Asked) -> Given:
        if "token" in asked.path:
            if asked.form["refresh_token"] != f"REFRESH-{self.number}":
                return Given({"error": "invalid_grant", "error_description": "Value passed"}, 400)
            self.number += 1
            given = {"access_token": f"ACCESS-{self.number}", "expires_in": 7200}
            if self.rotates:
                given["refresh_token"] = f"REFRESH-{self.number}"
            return Given(given)
        is_good = asked.headers["authorization"] == f"Bearer ACCESS-{self.number}"
        return Given(
            {"data": {"id": "17"}} if is_good else {"title": "Unauthorized"},
            200 if is_good else 401,
        )

    @property
    def refreshes(self) -> list[Asked]:
        return [asked for asked in self.server.asked if "token" in asked.path]


def added(collecting: Collecting, platform: str = "X", tokens: Tokens = OLD) -> CredentialRecord:
    return collecting.credentials.add(platform, tokens, "17")


def test_a_token_is_renewed_before_it_ends_and_the_new_one_is_used(
    collecting: Collecting, server: Replayed
) -> None:
    tokens, credential = TokenServer(server), added(collecting)
    pages, _ = collecting.chain("X", "17", "user")
    assert raw(pages) == [b'{"id": "17"}']
    (asked,) = tokens.refreshes
    assert asked.form == {"grant_type": "refresh_token", "refresh_token": "REFRESH-1"}
    assert asked.headers["authorization"] == "Basic Q0xJRU5UOkNMSUVOVC1TRUNSRVQ="
    stored = collecting.credentials.tokens(credential)
    assert (stored.access_token, stored.refresh_token) == ("ACCESS-2", "REFRESH-2")
    assert stored.access_expires_at == NOW + timedelta(hours=2)
    assert collecting.credentials.get(credential.id).refresh_began_at is None


def test_a_token_that_the_platform_refuses_is_renewed_once(
    collecting: Collecting, server: Replayed
) -> None:
    tokens = TokenServer(server)
    added(collecting, tokens=replace(OLD, access_token="ACCESS-0", access_expires_at=None))
    pages, _ = collecting.chain("X", "17", "user")
    assert (len(pages), len(tokens.refreshes)) == (1, 1)


def test_tiktok_takes_client_key_and_says_when_the_refresh_token_ends(
    collecting: Collecting, server: Replayed
) -> None:
    credential = added(collecting, "TikTok")
    server.give(
        {
            "access_token": "ACCESS-2",
            "refresh_token": "REFRESH-2",
            "expires_in": 7200,
            "refresh_expires_in": 15552000,
        },
        {"data": {"user": {"open_id": "17"}}, "error": {"code": "ok"}},
    )
    collecting.chain("TikTok", "17", "user_info")
    assert server.asked[0].path == "/v2/oauth/token/"
    assert server.asked[0].form["client_key"] == "CLIENT"
    assert server.asked[0].form["client_secret"] == "CLIENT-SECRET"
    ends = collecting.credentials.get(credential.id).final_expires_at
    assert ends == NOW + timedelta(days=180)


def test_google_gives_no_refresh_token_and_the_old_one_is_kept(
    collecting: Collecting, server: Replayed
) -> None:
    credential = added(collecting, "YouTube")
    server.give({"access_token": "ACCESS-2", "expires_in": 3599}, {"items": [{"id": "17"}]})
    collecting.chain("YouTube", "17", "channels")
    assert collecting.credentials.tokens(credential).refresh_token == "REFRESH-1"


@pytest.mark.parametrize(("hours", "is_renewed"), [(23, False), (25, True)])
def test_instagram_renews_the_token_itself_once_it_is_a_day_old(
    hours: int, is_renewed: bool, collecting: Collecting, server: Replayed
) -> None:
    young = replace(
        OLD,
        obtained_at=NOW - timedelta(hours=hours),
        access_expires_at=NOW + timedelta(hours=1),
        refresh_token=None,
    )
    credential = added(collecting, "Instagram", young)
    if is_renewed:
        server.give({"access_token": "ACCESS-2", "token_type": "bearer", "expires_in": 5183944})
    server.give({"id": "17"})
    collecting.chain("Instagram", "17", "user")
    stored = collecting.credentials.get(credential.id)
    if is_renewed:
        query = {"grant_type": "ig_refresh_token", "access_token": "ACCESS-1"}
        assert (server.asked[0].path, server.asked[0].query) == ("/refresh_access_token", query)
        assert stored.final_expires_at == NOW + timedelta(seconds=5183944)
    assert server.asked[-1].headers["authorization"] == f"Bearer ACCESS-{2 if is_renewed else 1}"


def test_a_revoked_token_stops_its_account_alone_and_says_why(
    collecting: Collecting, server: Replayed
) -> None:
    tokens = TokenServer(server)
    tokens.number = 5
    added(collecting, "TikTok")
    collecting.credentials.add(
        "TikTok", replace(OLD, access_token="ACCESS-5", access_expires_at=None), "18"
    )
    with pytest.raises(TokenRevokedError, match=r"invalid_grant.*let its owner authorize"):
        collecting.chain("TikTok", "17", "user_info")
    first, second = sorted(collecting.credentials.list("TikTok"), key=lambda each: each.name)
    assert (first.is_active, second.is_active) == (False, True)
    assert first.revoked_reason == (
        "the platform refuses to renew the token (invalid_grant: Value passed)"
    )
    asked = len(server.asked)
    with pytest.raises(TokenRevokedError):
        collecting.chain("TikTok", "17", "user_info")
    assert len(server.asked) == asked


def test_a_server_of_tokens_that_is_down_stops_nothing_while_the_token_works(
    collecting: Collecting, server: Replayed
) -> None:
    credential = added(collecting)
    server.give(Given({}, 503), {"data": {"id": "17"}})
    pages, _ = collecting.chain("X", "17", "user")
    assert len(pages) == 1
    assert collecting.credentials.get(credential.id).is_active


def test_processes_that_renew_at_once_send_one_request(
    collecting: Collecting, server: Replayed
) -> None:
    tokens, credential = TokenServer(server), added(collecting)
    with ThreadPoolExecutor(8) as threads:
        clients = [
            Collecting(
                collecting.home, collecting.engine, collecting.clock, collecting.credentials, server
            )
            for _ in range(8)
        ]
        pages = list(threads.map(lambda each: each.chain("X", "17", "user")[0], clients))
    for each in clients:
        each.close()
    assert [len(each) for each in pages] == [1] * 8
    assert len(tokens.refreshes) == 1
    assert collecting.credentials.tokens(credential).access_token == "ACCESS-2"


KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.control.engine import open_engine
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.registry import connector_of

moment = sys.argv[1]
if moment != "never":
    done = getattr(PlatformCredentials, moment.removeprefix("after "))
    def die(*given):
        if moment.startswith("after"):
            done(*given)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(PlatformCredentials, moment.removeprefix("after "), die)
home = Home.from_environment()
now = datetime(2026, 11, 20, 16, tzinfo=UTC)
with ConnectorClient(connector_of("x"), home, open_engine(home), clock=lambda: now) as client:
    print(len(list(client.pages(ChainStart(Account("X", "17"), "user")))))
"""


def killed(moment: str) -> None:
    command = [sys.executable, "-c", KILLED, moment]
    ended = subprocess.run(command, env=os.environ, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["refresh_begins", "after refresh_begins", "after refreshed"])
def test_killed_before_the_request_or_after_the_tokens_are_stored_nothing_is_lost(
    moment: str, collecting: Collecting, server: Replayed
) -> None:
    tokens = TokenServer(server)
    added(collecting)
    killed(moment)
    pages, _ = collecting.chain("X", "17", "user")
    assert (len(pages), len(tokens.refreshes)) == (1, 1)


def test_killed_between_the_answer_and_its_storage_the_reason_tells_it(
    collecting: Collecting, server: Replayed
) -> None:
    """The one moment at which a rotated token is lost: no client can prevent it, so it is told."""
    TokenServer(server)
    credential = added(collecting)
    killed("refreshed")
    with pytest.raises(TokenRevokedError, match="interrupted before its answer was stored"):
        collecting.chain("X", "17", "user")
    assert not collecting.credentials.get(credential.id).is_active


def test_no_secret_is_in_a_log_an_exception_or_a_file(
    collecting: Collecting, server: Replayed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    TokenServer(server)
    added(collecting)
    collecting.chain("X", "17", "user")
    refusal = {"error": {"code": 190, "message": "bad token ACCESS-1"}}
    server.answer = lambda asked: Given(refusal, 400)
    added(collecting, "Instagram", replace(OLD, refresh_token=None))
    with pytest.raises(CollectionError) as stopping:
        collecting.chain("Instagram", "17", "user")
    texts = [caplog.text, repr(stopping.value), repr(collecting.credentials.list())]
    error: BaseException | None = stopping.value
    while error is not None:
        texts.append(repr(error) + str(error))
        error = error.__cause__ or error.__context__
    files = [path for path in collecting.home.path.rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert not [text for text in texts if secret in text]
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_a_person_renews_a_token_now(collecting: Collecting, server: Replayed) -> None:
    TokenServer(server)
    collecting.credentials.add("X", replace(OLD, access_expires_at=None), "17")
    (renewed,) = renew(connector_of("X"), collecting.home, collecting.engine, None)
    assert collecting.credentials.tokens(renewed).access_token == "ACCESS-2"
