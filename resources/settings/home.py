"""The folders of an installation's state on this machine.

Belongs here: only the layout. The owner of each folder creates it and writes into it. Imports only
the standard library, since every process of the project reads it first.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from resources.settings.environments import require_complete

ENVIRONMENT_VARIABLE = "SOCIAL_ASSETS_HOME"
DEFAULT_HOME = "~/.social-assets"

_CHECKOUT = Path(__file__).resolve().parents[2]


class HomePathError(ValueError):
    """The folder cannot be a home; the text says why, and what to set instead."""


class HomeInsideCheckoutError(HomePathError):
    """The home would put data, logs and a password among the sources."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the home {path} lies inside the source folder {_CHECKOUT}; "
            f"set {ENVIRONMENT_VARIABLE} (or --home) to a folder outside of it"
        )


class HomeNameError(HomePathError):
    """The home's path has a name that one of the storage libraries cannot open."""

    def __init__(self, path: Path, part: str) -> None:
        super().__init__(
            f"the home {path} cannot be used: the storage libraries cannot open a path with"
            f" {part!r}; set {ENVIRONMENT_VARIABLE} (or --home) to a path without question marks,"
            " square brackets, ^, |, backslashes, control characters, a percent sign before two"
            " hexadecimal digits, or a folder named like a partition (name=value)"
        )


# delta-rs 1.6 and SQLAlchemy read a path as part of a URL: brackets end in a panic, %20 and what
# follows a question mark name another file; chDB puts its data where the question mark is. DuckDB
# reads `source=...` as a partition, and fills that column of every row with it.
_UNUSABLE = re.compile(r"[\[\]?^|\\\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}|(?<=/)\w+=[^/]*")


@dataclass(frozen=True)
class Home:
    """The one folder that holds all state; its parts are named here and nowhere else."""

    path: Path

    def __post_init__(self) -> None:
        path = Path(self.path).expanduser().resolve()
        if path == _CHECKOUT or (path.is_relative_to(_CHECKOUT) and _is_source_tree()):
            raise HomeInsideCheckoutError(path)
        unusable = _UNUSABLE.search(str(path))
        if unusable:
            raise HomeNameError(path, unusable[0])
        object.__setattr__(self, "path", path)

    @classmethod
    def from_environment(cls) -> Self:
        """The home that SOCIAL_ASSETS_HOME names, or, in an environment that has one, the default.

        Raises EnvironmentSettingsError where the environment must name it.
        """
        named = os.environ.get(ENVIRONMENT_VARIABLE)
        if not named:
            require_complete()
        return cls(Path(named or DEFAULT_HOME))

    @property
    def lake(self) -> Path:
        """Delta tables: raw, cleaned, quarantine."""
        return self.path / "lake"

    @property
    def clickhouse(self) -> Path:
        """The embedded ClickHouse: data, password, state."""
        return self.path / "clickhouse"

    @property
    def kafka(self) -> Path:
        """The home's own Kafka broker: jars, data, where it listens."""
        return self.path / "kafka"

    @property
    def kafka_connect(self) -> Path:
        """The home's own worker of Kafka Connect: jars, password, where it listens."""
        return self.path / "kafka_connect"

    @property
    def spark(self) -> Path:
        """The jars with which Spark reads Kafka."""
        return self.path / "spark"

    @property
    def dagster(self) -> Path:
        """What DAGSTER_HOME points to."""
        return self.path / "dagster"

    @property
    def control(self) -> Path:
        """The operational store: API keys, dashboards, report schedules, encrypted secrets."""
        return self.path / "control"

    @property
    def collection(self) -> Path:
        """Collection from platforms: counted calls, known fields, pages that have not landed."""
        return self.path / "collection"

    @property
    def media(self) -> Path:
        """Pictures of posts, each named by the hash of its content."""
        return self.path / "media"

    @property
    def landing(self) -> Path:
        """Where files arrive, one folder a stream."""
        return self.path / "landing"

    @property
    def artifacts(self) -> Path:
        """Trained models."""
        return self.path / "artifacts"

    @property
    def features(self) -> Path:
        """Online features; made anew from the warehouse."""
        return self.path / "features"

    @property
    def reports(self) -> Path:
        """The files of scheduled reports, one folder a report and period."""
        return self.path / "reports"

    @property
    def samples(self) -> Path:
        """Generated sample files."""
        return self.path / "samples"

    @property
    def restoring(self) -> Path:
        """What a restore has not yet moved into place. While it is there, the home is of no use."""
        return self.path / ".restoring"

    @property
    def queries(self) -> Path:
        """Compiled queries of the engine. Without them, processes compile their own."""
        return self.path / "queries"

    @property
    def logs(self) -> Path:
        """Logs of detached processes."""
        return self.path / "logs"


def _is_source_tree() -> bool:
    """An installed package sits in site-packages, which no home may be refused for."""
    return (_CHECKOUT / "pyproject.toml").exists() or (_CHECKOUT / ".git").exists()
