"""Encrypted secrets: readable with their key alone, through every rotation."""

from __future__ import annotations

import base64
import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from resources.settings.environments import EnvironmentSettingsError
from resources.settings.home import Home
from resources.settings.variables import SECRET_KEY, hidden
from social_assets.cli.main import main
from social_assets.control.engine import open_engine, reading, writing
from social_assets.control.errors import (
    ChangedMeanwhileError,
    SecretKeyError,
    SecretTamperedError,
    UnknownSecretError,
)
from social_assets.control.secrets.encrypted_secrets import LARGEST_BYTES, EncryptedSecrets
from social_assets.control.secrets.secret_keys import KeySource
from social_assets.operate.doctor.control import control

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
VALUE = "hunter2-tökén"

ROTATE_AND_DIE = """
import os, signal, sys
from resources.settings.home import Home
from sqlalchemy import Engine, event
from social_assets.control.engine import open_engine
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

home = Home.from_environment()
engine = open_engine(home)
secrets = EncryptedSecrets(engine, home)
name, die = {
    "first update": ("after_cursor_execute", lambda *given: given[2].startswith("UPDATE")),
    "commit": ("commit", lambda *given: True),
    "after commit": ("checkin", lambda *given: True),
}[sys.argv[1]]


def end(*given):
    if die(*given):
        os.kill(os.getpid(), signal.SIGKILL)


event.listen(engine if name == "checkin" else Engine, name, end)
secrets.rotate()
"""


@pytest.fixture(autouse=True)
def _no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_KEY, raising=False)


def test_a_secret_is_read_as_it_was_stored_and_is_nowhere_in_the_clear(
    store_home: Home, engine: Engine
) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    record = secrets.put("instagram:natgeo", VALUE)
    stored = EncryptedSecrets(open_engine(store_home), store_home).get("instagram:natgeo")
    assert (stored.value, stored.record) == (VALUE, record)
    assert VALUE not in repr(stored)
    with reading(engine) as connection:
        (row,) = connection.execute(text("SELECT * FROM encrypted_secrets")).all()
    assert row.key_id == record.key_id
    assert VALUE.encode() not in bytes(row.encrypted)
    for file in store_home.path.rglob("*"):
        assert not file.is_file() or VALUE.encode() not in file.read_bytes()
    assert KeySource(store_home).file.stat().st_mode & 0o777 == 0o600


def test_equal_values_have_unequal_ciphertexts(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    secrets.put("a", VALUE)
    secrets.put("b", VALUE)
    with reading(engine) as connection:
        found = connection.scalars(text("SELECT encrypted FROM encrypted_secrets")).all()
    assert len({bytes(each) for each in found}) == 2


def test_a_value_based_on_an_old_version_is_refused(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    assert secrets.put("token", "one", based_on=0).version == 1
    assert secrets.put("token", "two", based_on=1).version == 2
    for based_on in (0, 1, 3):
        with pytest.raises(ChangedMeanwhileError, match="version 2 is stored"):
            secrets.put("token", "three", based_on=based_on)
    assert secrets.get("token").value == "two"


def test_first_values_at_once_make_one_key_and_lose_none(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: secrets.put(f"secret-{n % 4}", str(n)), range(16)))
    secrets.check()
    assert {each.version for each in secrets.list()} == {4}
    assert len({each.key_id for each in secrets.list()}) == 1


@pytest.mark.parametrize("change", ["bit", "cut", "empty", "name", "version"])
def test_a_row_that_was_altered_is_named(store_home: Home, engine: Engine, change: str) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    secrets.put("token", "one")
    secrets.put("other", "two")
    with writing(engine) as connection:
        found = connection.execute(
            text("SELECT encrypted FROM encrypted_secrets WHERE name = 'token'")
        ).scalar_one()
        altered = {
            "bit": bytes(found)[:-1] + bytes([bytes(found)[-1] ^ 1]),
            "cut": bytes(found)[:-1],
            "empty": b"",
        }
        if change in altered:
            connection.execute(
                text("UPDATE encrypted_secrets SET encrypted = :new WHERE name = 'token'"),
                {"new": altered[change]},
            )
        elif change == "name":
            connection.execute(
                text("UPDATE encrypted_secrets SET encrypted = :of_other WHERE name = 'other'"),
                {"of_other": found},
            )
        else:
            connection.execute(text("UPDATE encrypted_secrets SET version = version + 1"))
    with pytest.raises(SecretTamperedError, match="is not as it was stored"):
        secrets.check()


def test_another_key_is_named_with_the_one_that_is_missing(
    store_home: Home, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_KEY, OLD)
    secrets = EncryptedSecrets(engine, store_home)
    old = secrets.put("token", VALUE).key_id
    monkeypatch.setenv(SECRET_KEY, NEW)
    with pytest.raises(SecretKeyError, match=f"under key {old}, and the keys here are") as error:
        secrets.get("token")
    assert SECRET_KEY in str(error.value)
    assert not any(key in str(error.value) for key in (OLD, NEW))
    _, lost = control(store_home)
    assert f"1 secret cannot be read, such as token: key {old} is not here" in lost.found


def test_a_lost_file_of_keys_is_named_and_not_replaced(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    key = secrets.put("token", VALUE).key_id
    file = KeySource(store_home).file
    lost = file.read_text()
    file.unlink()
    for attempt in (lambda: secrets.put("new", "x"), secrets.rotate):
        with pytest.raises(SecretKeyError, match=f"under key {key}, and there is no"):
            attempt()
    with pytest.raises(SecretKeyError, match="there is no key here"):
        secrets.get("token")
    assert not file.exists()
    file.write_text(lost)
    assert secrets.get("token").value == VALUE


@pytest.mark.parametrize("wrong", ["short", "a" * 43, OLD[:-4] + "tökn", f"{OLD},", f"{OLD},{OLD}"])
def test_what_is_no_key_is_refused_without_showing_it(
    wrong: str, store_home: Home, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_KEY, wrong)
    with pytest.raises(EnvironmentSettingsError, match=SECRET_KEY) as error:
        EncryptedSecrets(engine, store_home).put("token", VALUE)
    assert wrong not in str(error.value)
    assert OLD not in str(error.value)


def test_each_key_of_the_environment_is_hidden_in_texts() -> None:
    environment = {SECRET_KEY: f"{NEW}, {OLD}"}
    assert hidden(f"a {OLD} b {NEW}", environment) == "a *** b ***"


def test_a_rotation_by_the_environment_needs_the_old_key_until_it_is_done(
    store_home: Home, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    monkeypatch.setenv(SECRET_KEY, OLD)
    secrets.put("token", VALUE)
    monkeypatch.setenv(SECRET_KEY, f"{NEW},{OLD}")
    assert secrets.get("token").value == VALUE
    assert secrets.rotate() == 1
    monkeypatch.setenv(SECRET_KEY, NEW)
    assert secrets.get("token").value == VALUE
    assert secrets.get("token").record.version == 1


def test_a_rotation_of_the_file_leaves_one_new_key(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    assert secrets.rotate() == 0
    old = [secrets.put(f"secret-{n}", str(n)) for n in range(5)]
    before = KeySource(store_home).file.read_text()
    assert secrets.rotate() == 5
    after = KeySource(store_home).file.read_text()
    assert after.count("\n") == 1
    assert before != after
    assert [secrets.get(each.name).value for each in old] == list("01234")
    assert {each.key_id for each in secrets.list()}.isdisjoint(each.key_id for each in old)


@pytest.mark.parametrize("moment", ["first update", "commit", "after commit"])
def test_a_rotation_that_is_killed_keeps_every_secret_readable(
    moment: str, sqlite_home: Home
) -> None:
    engine = open_engine(sqlite_home)
    secrets = EncryptedSecrets(engine, sqlite_home)
    for number in range(5):
        secrets.put(f"secret-{number}", str(number))
    killed = subprocess.run(
        [sys.executable, "-c", ROTATE_AND_DIE, moment], check=False, env={**os.environ}
    )
    assert killed.returncode == -signal.SIGKILL
    assert KeySource(sqlite_home).file.read_text().count("\n") == 2
    secrets.check()
    secrets.put("secret-5", "5")
    assert secrets.rotate() == 6
    assert KeySource(sqlite_home).file.read_text().count("\n") == 1
    assert [secrets.get(each.name).value for each in secrets.list()] == list("012345")
    engine.dispose()


def test_values_stored_during_rotations_stay_readable(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    secrets.put("first", "0")
    with ThreadPoolExecutor(4) as threads:
        rotations = [threads.submit(secrets.rotate) for _ in range(4)]
        stored = [threads.submit(secrets.put, f"secret-{n}", str(n)) for n in range(20)]
        for each in (*rotations, *stored):
            each.result()
    secrets.check()
    assert len(secrets.list()) == 21


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("", "x", "the name ''"),
        ("a b", "x", "the name 'a b'"),
        ("a" * 201, "x", "up to 200 characters"),
        ("token", "", "is empty"),
        ("token", "hunter2" * LARGEST_BYTES, "larger than 64 KiB"),
        ("token", "hunter2\ud800", "no Unicode text"),
    ],
)
def test_what_cannot_be_stored_is_refused_without_showing_it(
    name: str, value: str, said: str, store_home: Home, engine: Engine
) -> None:
    with pytest.raises(ValueError, match=said) as error:
        EncryptedSecrets(engine, store_home).put(name, value)
    assert "hunter2" not in str(error.value)


def test_a_secret_that_is_not_there_is_named(store_home: Home, engine: Engine) -> None:
    secrets = EncryptedSecrets(engine, store_home)
    for ask in (secrets.get, secrets.delete):
        with pytest.raises(UnknownSecretError, match="'token'"):
            ask("token")


def test_the_command_reads_a_value_from_a_pipe_and_never_prints_it(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{VALUE}\n"))
    for command in (("set", "hook"), ("list",), ("rotate",), ("list", "--format", "json")):
        with pytest.raises(SystemExit) as ending:
            main(["secrets", *command])
        assert ending.value.code == 0
    said = "".join(capsys.readouterr())
    assert "stored secret hook, version 1, under key" in said
    assert VALUE not in said
    assert EncryptedSecrets(open_engine(sqlite_home), sqlite_home).get("hook").value == VALUE
