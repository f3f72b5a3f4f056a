"""API keys in both databases: what a key may do, and what the store knows of it."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.api_keys import ApiKeys, Role
from social_assets.control.engine import open_engine, reading, writing
from social_assets.control.errors import UnknownApiKeyError

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_a_key_is_verified_and_gives_its_scope(engine: Engine) -> None:
    keys = ApiKeys(engine)
    new = keys.create(
        "reports",
        accounts=[Account("Instagram", "0042"), Account("YouTube", "UCx")],
        role=Role.WRITE,
        per_minute=7,
    )
    found = keys.verify(new.text)
    assert found is not None
    assert found == new.key
    assert found.allows("instagram", "0042")
    assert not found.allows("Instagram", "42")
    assert not found.allows("YouTube", "0042")
    assert (found.may(Role.READ), found.may(Role.WRITE), found.may(Role.ADMIN)) == (
        True,
        True,
        False,
    )


def test_a_key_without_scope_sees_every_account(engine: Engine) -> None:
    keys = ApiKeys(engine)
    found = keys.verify(keys.create("all").text)
    assert found is not None
    assert found.allows("Mastodon", "anyone")
    assert (found.role, found.may(Role.WRITE)) == (Role.READ, False)


def test_the_store_holds_the_hash_of_the_secret_and_nothing_else_of_it(
    engine: Engine,
) -> None:
    new = ApiKeys(engine).create("reports")
    secret = new.text.split("_")[2]
    assert len(bytes.fromhex(secret)) == 32
    with reading(engine) as connection:
        (row,) = connection.execute(text("SELECT * FROM api_keys")).all()
    assert bytes(row.secret_sha256) == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(row)
    assert secret not in repr(new)


@pytest.mark.parametrize("part", ["secret", "id", "shape", "empty", "no ascii", "long"])
def test_a_key_that_is_wrong_anywhere_is_no_key(engine: Engine, part: str) -> None:
    keys = ApiKeys(engine)
    right = keys.create("reports").text
    _, id_, secret = right.split("_")
    last = "0" if secret[-1] != "0" else "1"
    wrong = {
        "secret": f"sa_{id_}_{secret[:-1]}{last}",
        "id": f"sa_{'0' * 12}_{secret}",
        "shape": right.replace("_", "-"),
        "empty": "",
        "no ascii": right[:-1] + "٣",
        "long": right + "\x00" * 1_000_000,
    }[part]
    assert keys.verify(wrong) is None
    assert keys.verify(right) is not None


def test_a_verification_is_one_query_and_a_wrong_shape_is_none(engine: Engine) -> None:
    keys = ApiKeys(engine)
    new = keys.create("reports")
    keys.verify(new.text)  # records its use
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert keys.verify(new.text) is not None
    assert keys.verify("sa_nothing") is None
    (query,) = [statement for statement in asked if not statement.startswith("BEGIN")]
    assert "WHERE api_keys.id = " in query


def test_a_key_ends_when_it_expires(engine: Engine) -> None:
    clock = Clock()
    keys = ApiKeys(engine, clock)
    new = keys.create("reports", lifetime=timedelta(days=1))
    clock.now = START + timedelta(days=1) - timedelta(microseconds=1)
    assert keys.verify(new.text) is not None
    clock.now = START + timedelta(days=1)
    assert keys.verify(new.text) is None


def test_a_revoked_key_ends_at_once_and_keeps_its_first_end(engine: Engine) -> None:
    clock = Clock()
    keys = ApiKeys(engine, clock)
    new, other = keys.create("reports"), keys.create("other")
    keys.revoke(new.key.id)
    clock.now += timedelta(hours=1)
    assert keys.revoke(new.key.id).revoked_at == START
    assert keys.verify(new.text) is None
    assert keys.verify(other.text) is not None


def test_revoking_an_id_that_no_key_has_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownApiKeyError, match="keys list"):
        ApiKeys(engine).revoke("0" * 12)


def test_the_use_of_a_key_is_written_at_most_once_a_minute(
    store_home: Home, engine: Engine
) -> None:
    clock = Clock()
    other_process = open_engine(store_home)
    writes: Counter[str] = Counter()
    for each in (engine, other_process):
        event.listen(
            each, "before_cursor_execute", lambda *given: writes.update([given[2].split()[0]])
        )
    first, second = ApiKeys(engine, clock), ApiKeys(other_process, clock)
    new = first.create("reports")
    for seconds in (0, 1, 59, 60, 61, 100):
        clock.now = START + timedelta(seconds=seconds)
        assert first.verify(new.text) is not None
        assert second.verify(new.text) is not None
    assert writes["UPDATE"] == 2
    (listed,) = first.list()
    assert listed.last_used_at == START + timedelta(seconds=60)
    other_process.dispose()


def test_requests_at_once_write_one_use(engine: Engine) -> None:
    keys = ApiKeys(engine)
    new = keys.create("reports")
    writes: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: writes.append(given[2]))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(keys.verify, [new.text] * 64))
    assert all(found)
    assert sum(statement.startswith("UPDATE") for statement in writes) == 1


def test_a_key_works_while_its_use_cannot_be_written(
    store_home: Home, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    new = ApiKeys(engine).create("reports")
    impatient = open_engine(store_home, wait_seconds=0.05)
    with writing(engine) as other, caplog.at_level(logging.WARNING):
        other.execute(text("UPDATE api_keys SET name = 'held'"))
        assert ApiKeys(impatient).verify(new.text) is not None
    assert f"the use of API key {new.key.id} was not recorded" in caplog.text
    assert new.text not in caplog.text
    impatient.dispose()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "name the program"),
        ({"name": "a\nb"}, "not printable"),
        ({"name": "n" * 201}, "longer than 200"),
        ({"accounts": []}, "would see no account"),
        ({"per_minute": 0}, "from 1 to 1,000,000"),
        ({"lifetime": timedelta(0)}, "no lifetime"),
    ],
)
def test_a_key_that_could_not_be_used_is_refused(
    engine: Engine, wrong: dict[str, object], said: str
) -> None:
    given: dict[str, object] = {"name": "reports", **wrong}
    with pytest.raises(ValueError, match=said):
        ApiKeys(engine).create(**given)  # type: ignore[arg-type]
    assert ApiKeys(engine).list() == []
