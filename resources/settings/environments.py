"""The kind of an installation, and the settings that it requires.

`local` (the default) and `test` use what the home has: a lake in a folder, the embedded ClickHouse,
the home's broker, SQLite. `staging` and `production` have no fallback: every address must be named,
and all missing ones are listed at once. `test` must name its home, so that no test ever uses a
person's. Standard library only, since every process reads this first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum

VARIABLE = "SOCIAL_ASSETS_ENVIRONMENT"
DAGSTER_STORAGE_URL = "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL"
"""Where Dagster keeps runs and events outside of `local` and `test`: postgresql://..."""
CONTROL_URL = "SOCIAL_ASSETS_CONTROL_URL"
"""Where the operational store is; unset in `local` and `test`: SQLite in the home."""

_HOME = {"SOCIAL_ASSETS_HOME": "a folder of this machine, for locks, landing files and logs"}
_ADDRESSES = {
    "SOCIAL_ASSETS_LAKE_URL": "the lake's root, such as s3://bucket/lake",
    "SOCIAL_ASSETS_CLICKHOUSE_URL": "https://user:password@host:port",
    "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "host:port,host:port",
    DAGSTER_STORAGE_URL: "postgresql://user:password@host:port/database",
    CONTROL_URL: "postgresql://user:password@host:port/database",
}


class Environment(StrEnum):
    """The kinds of installation."""

    LOCAL = "local"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def is_deployed(self) -> bool:
        """Whether all addresses must be named."""
        return self in (Environment.STAGING, Environment.PRODUCTION)

    @property
    def required(self) -> Mapping[str, str]:
        """The required variables, each with its meaning."""
        if self.is_deployed:
            return {**_HOME, **_ADDRESSES}
        return _HOME if self is Environment.TEST else {}


class EnvironmentSettingsError(ValueError):
    """The environment's name is unknown, or it lacks settings; the text lists all of them."""


def current(environment: Mapping[str, str] = os.environ) -> Environment:
    """The kind that SOCIAL_ASSETS_ENVIRONMENT names; `local` where it names none."""
    named = environment.get(VARIABLE) or Environment.LOCAL.value
    try:
        return Environment(named)
    except ValueError:
        known = ", ".join(each.value for each in Environment)
        raise EnvironmentSettingsError(
            f"{VARIABLE} is {named!r}; it must be one of {known}"
        ) from None


def missing(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The required variables that are not set, with their meaning."""
    required = current(environment).required
    return {name: meaning for name, meaning in required.items() if not environment.get(name)}


def require_complete(environment: Mapping[str, str] = os.environ) -> None:
    """Raise EnvironmentSettingsError, which lists all missing variables."""
    lacking = missing(environment)
    if lacking:
        listed = "\n".join(f"  {name}={meaning}" for name, meaning in lacking.items())
        raise EnvironmentSettingsError(
            f"{VARIABLE} is {current(environment)}, which falls back to nothing; set\n{listed}"
        )
