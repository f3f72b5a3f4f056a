"""Credentials of platforms: encrypted, listed without secrets, one lock each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.errors import UnknownCredentialError, UnknownSecretError
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
TOKENS = Tokens(
    "access-1",
    "refresh-1",
    "client-1",
    "client-secret-1",
    access_expires_at=AT + timedelta(hours=2),
    final_expires_at=AT + timedelta(days=60),
    obtained_at=AT,
)


@pytest.fixture
def credentials(engine: Engine, store_home: Home) -> PlatformCredentials:
    return PlatformCredentials(engine, store_home, lambda: AT)


def test_a_credential_is_read_as_it_was_added(credentials: PlatformCredentials) -> None:
    added = credentials.add("X", TOKENS, "17")
    assert credentials.list("X") == [added]
    assert credentials.of_account("X", "17") == added
    assert credentials.tokens(added) == TOKENS


def test_no_secret_is_in_a_repr_or_in_the_clear_in_the_store(
    credentials: PlatformCredentials, store_home: Home
) -> None:
    added = credentials.add("X", TOKENS, "17")
    shown = repr(added) + repr(credentials.tokens(added))
    stored = b"".join(path.read_bytes() for path in store_home.path.rglob("*") if path.is_file())
    for secret in ("access-1", "refresh-1", "client-secret-1"):
        assert secret not in shown
        assert secret.encode() not in stored
        assert secret not in TOKENS.without_secrets(f"the token {secret} is bad")


def test_adding_again_replaces_the_tokens_and_makes_the_credential_active(
    credentials: PlatformCredentials,
) -> None:
    first = credentials.add("X", TOKENS, "17")
    credentials.revoke(first.id, "the person removed the app")
    assert not credentials.get(first.id).is_active
    again = credentials.add("X", Tokens("access-2"), "17")
    assert (again.id, again.is_active) == (first.id, True)
    assert credentials.tokens(again).access_token == "access-2"


def test_a_credential_that_ends_soon_is_told(credentials: PlatformCredentials) -> None:
    added = credentials.add("Instagram", TOKENS, "17")
    assert credentials.near_expiry(timedelta(days=61)) == (added,)
    assert credentials.near_expiry(timedelta(days=59)) == ()


def test_a_removed_credential_leaves_no_secret(credentials: PlatformCredentials) -> None:
    added = credentials.add("X", TOKENS, "17")
    credentials.remove("X", "17")
    assert credentials.list() == []
    with pytest.raises(UnknownSecretError):
        credentials.tokens(added)
    with pytest.raises(UnknownCredentialError, match="no credential of X has the name '17'"):
        credentials.remove("X", "17")


def test_a_removal_that_was_killed_is_completed_by_the_next_one(
    credentials: PlatformCredentials, engine: Engine, store_home: Home
) -> None:
    added = credentials.add("X", TOKENS, "17")
    EncryptedSecrets(engine, store_home).delete(f"credential/x/{added.id}")
    credentials.remove("X", "17")
    assert credentials.list() == []


def test_one_holds_the_lock_of_a_credential_and_another_one_waits(
    credentials: PlatformCredentials,
) -> None:
    first, second = credentials.add("X", TOKENS, "17"), credentials.add("X", TOKENS, "18")
    entered = Event()

    def enter() -> None:
        with credentials.locked(first.id):
            entered.set()

    with credentials.locked(first.id):
        thread = Thread(target=enter)
        thread.start()
        with credentials.locked(second.id):
            assert not entered.wait(0.1)
    assert entered.wait(10)
    thread.join()
