"""Finds the connectors: modules with `CONNECTOR` in `platforms/` and in one folder of the user.

Belongs here: discovery, and at which address a platform is. A module of the user that cannot be
used is kept apart, so that it stops no other platform.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from resources.settings.user_module import import_file
from resources.settings.variables import CONNECTORS
from social_assets.ingest.connectors import platforms as package
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.errors import ConnectorDeclarationError

Sources = Mapping[str, Mapping[str, str]]
"""For each stream, for each column, where it stands in the envelope: `record.followers_count`."""


@dataclass(frozen=True)
class FoundConnector:
    """A connector, its module's file, and where columns of streams stand in its records."""

    connector: Connector
    path: Path
    sources: Sources = field(default_factory=dict)


@dataclass(frozen=True)
class BrokenConnector:
    """A module of the user's folder that is no connector, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Connectors:
    """The connectors that can be used, in the order of their platforms, and those that cannot."""

    found: tuple[FoundConnector, ...]
    broken: tuple[BrokenConnector, ...]


@cache
def registered_connectors() -> Connectors:
    """All connectors, found once a process.

    A user's module for a platform of this package takes the place of its connector. Raises
    ConnectorDeclarationError if the user's folder does not exist.
    """
    found: dict[str, FoundConnector] = {}
    broken = []
    for each in (*_of_package(), *_of_user()):
        if isinstance(each, BrokenConnector):
            broken.append(each)
        else:
            found[each.connector.platform.casefold()] = each
    return Connectors(tuple(found[name] for name in sorted(found)), tuple(broken))


def connectors() -> tuple[Connector, ...]:
    """All connectors that can be used."""
    return tuple(each.connector for each in registered_connectors().found)


def connector_of(platform: str) -> Connector:
    """The connector of a platform; upper and lower case do not matter.

    Raises ConnectorDeclarationError, which names those that there are.
    """
    for each in connectors():
        if each.platform.casefold() == platform.casefold():
            return each
    known = ", ".join(each.platform for each in connectors())
    broken = "".join(f"; {b.path} is broken: {b.reason}" for b in registered_connectors().broken)
    raise ConnectorDeclarationError(
        f"no connector for {platform!r}; there are {known}; put yours into the folder of "
        f"{CONNECTORS}{broken}"
    )


def url_setting(platform: str) -> str:
    """The variable that moves a platform to another address, for tests and demonstrations."""
    return f"SOCIAL_ASSETS_{platform.upper()}_URL"


def base_url_of(connector: Connector) -> str:
    """Where the platform is. Plain http is allowed only for a loopback address of the setting.

    Raises ConnectorDeclarationError.
    """
    name = url_setting(connector.platform)
    moved = os.environ.get(name)
    url = (moved or connector.base_url).rstrip("/")
    parts = urlsplit(url)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme == "https" and parts.hostname:
        return url
    if moved and parts.scheme == "http" and is_loopback:
        return url
    where = name if moved else f"base_url of {connector.platform}"
    raise ConnectorDeclarationError(
        f"{where} is not an https address, and tokens must not travel in the clear; set it to one "
        "(http is allowed for a loopback address, in the variable only)"
    )


def _of_package() -> Iterator[FoundConnector]:
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        declared = getattr(module, "CONNECTOR", None)
        if isinstance(declared, Connector):
            yield FoundConnector(declared, Path(package.__path__[0]) / f"{info.name}.py")


def _of_user() -> Iterator[FoundConnector | BrokenConnector]:
    folder = os.environ.get(CONNECTORS)
    if not folder:
        return
    if not Path(folder).is_dir():
        raise ConnectorDeclarationError(
            f"{CONNECTORS}={folder} is not a folder; set it to the folder that holds your "
            "connectors, or unset it"
        )
    for path in sorted(Path(folder).glob("*.py")):
        # Modules that connectors import from each other begin with an underscore.
        if not path.name.startswith("_"):
            yield load_connector(path)


def load_connector(path: Path) -> FoundConnector | BrokenConnector:
    """The connector in a file, or what is wrong with it."""
    try:
        module = import_file(path, f"social_assets_connector_{path.stem}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it stops this platform alone
        return BrokenConnector(path, f"{type(error).__name__}: {error}")
    declared = getattr(module, "CONNECTOR", None)
    if not isinstance(declared, Connector):
        return BrokenConnector(path, "it has no CONNECTOR, a social_assets...Connector")
    return FoundConnector(declared, path, getattr(module, "SOURCES", {}))
