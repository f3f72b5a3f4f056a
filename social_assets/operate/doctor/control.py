"""The doctor's examination of the operational store. Creates and migrates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from resources.settings.environments import CONTROL_URL, EnvironmentSettingsError, missing
from resources.settings.home import Home
from resources.settings.variables import SECRET_KEY
from social_assets.control.errors import ControlStoreError, ControlStoreLockedError
from social_assets.control.location import ControlLocation
from social_assets.operate.doctor.diagnostic import Diagnostic, error, ok, warn
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from sqlalchemy import Engine

SUBJECT = "operational store"
WAIT_SECONDS = 1.0


def control(home: Home) -> Iterator[Diagnostic]:
    """Whether the store can be reached and written, and whether its tables are of this release."""
    from sqlalchemy import text

    from social_assets.control.engine import engine_of, writing
    from social_assets.control.migrate import REVISIONS, refuse_newer, revision

    if CONTROL_URL in missing():
        return  # the examination of the environment names it
    try:
        location = ControlLocation.of(home)
    except EnvironmentSettingsError as problem:
        yield error(SUBJECT, str(problem), f"correct {CONTROL_URL}")
        return
    if location.url is None and not location.file.exists():
        yield ok(SUBJECT, f"no {location.file} yet: the first command that needs it makes it")
        return
    engine = engine_of(location, WAIT_SECONDS)
    try:
        with writing(engine) as connection:
            found = revision(connection)
            refuse_newer(found, location)
            if found is not None:
                connection.execute(text("SELECT 1 FROM api_keys LIMIT 1"))
    except ControlStoreLockedError as problem:
        yield warn(SUBJECT, problem.found, problem.remedy)
    except ControlStoreError as problem:
        yield error(SUBJECT, problem.found, problem.remedy)
    else:
        yield ok(SUBJECT, _told(str(location), found, REVISIONS[-1]))
        if found == REVISIONS[-1]:
            yield from _secrets(engine, home)
    finally:
        engine.dispose()


def _secrets(engine: Engine, home: Home) -> Iterator[Diagnostic]:
    """Whether the keys of the stored secrets are here."""
    from social_assets.control.errors import SecretKeyError
    from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

    try:
        lost = EncryptedSecrets(engine, home).unreadable()
    except (EnvironmentSettingsError, SecretKeyError) as problem:
        yield error(SUBJECT, str(problem), f"correct {SECRET_KEY}, or restore the file of the home")
        return
    if lost:
        ids = ", ".join(sorted({each.key_id for each in lost}))
        yield error(
            SUBJECT,
            f"{counted(len(lost), 'secret')} cannot be read, such as {lost[0].name}: key {ids} is "
            "not here",
            f"restore {home.control / 'secret.key'} or set {SECRET_KEY}; or store them again",
        )


def _told(place: str, found: str | None, newest: str) -> str:
    if found == newest:
        return f"{place.removeprefix('the operational store ')}, revision {found}"
    at = "without tables" if found is None else f"at revision {found}"
    return f"{place}, {at}: the next command that needs it brings it to {newest}"
