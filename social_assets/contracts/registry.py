"""Finds the contracts: modules with `CONTRACT` in this folder, in `collected/` and `recommended/`,
and in one folder of the user.

Belongs here: only discovery. `contract.py` says what a contract is, `broken.py` what is wrong with
one. A contract that cannot be used is kept apart, so that it stops no other stream. A connector of
the user says in `SOURCES` where the columns of collected streams stand in its records; a connector
that cannot be read is reported by `ingest.connectors.registry`.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

import social_assets.contracts as package
from resources.settings.user_module import import_file
from resources.settings.variables import CONNECTORS
from social_assets.contracts import collected, recommended
from social_assets.contracts.contract import Contract
from social_assets.contracts.refusals.broken import (
    EXTRA_CONTRACTS,
    BrokenContract,
    ContractError,
    broken_by,
    doubled,
    without_contract,
)

__all__ = ["EXTRA_CONTRACTS", "ContractError", "UnknownStreamError", "contract", "contracts"]

_log = logging.getLogger(__name__)


class UnknownStreamError(LookupError):
    """No contract has that name."""


@dataclass(frozen=True)
class Registered:
    """The contracts that can be used, by name, and those that cannot."""

    contracts: tuple[Contract, ...]
    broken: tuple[BrokenContract, ...]


@cache
def registered() -> Registered:
    """All contracts, found once a process.

    The first of several contracts with one name or topic is used; those of this package come first,
    then the user's files in the order of their names. Raises ContractError if the user's folder
    does not exist.
    """
    found: dict[Path, Contract] = {}
    broken: list[BrokenContract] = []
    for path, each in _found():
        clash = _clash(found, path, each) if isinstance(each, Contract) else each
        if isinstance(clash, BrokenContract):
            broken.append(clash)
        elif isinstance(each, Contract):
            found[path] = each
    return Registered(tuple(sorted(found.values(), key=lambda c: c.name)), tuple(broken))


def contracts() -> tuple[Contract, ...]:
    """All contracts that can be used, by name."""
    return registered().contracts


def broken_contracts() -> tuple[BrokenContract, ...]:
    """The contracts that cannot be used, in the order of their files."""
    return registered().broken


def contract(name: str) -> Contract:
    """The contract of one stream.

    Raises ContractError if it cannot be used, and UnknownStreamError, which names the existing
    ones.
    """
    for candidate in contracts():
        if candidate.name == name:
            return candidate
    refuse_broken(name)
    known = ", ".join(c.name for c in contracts())
    raise UnknownStreamError(f"no stream {name!r}; the streams are {known}")


def person_columns() -> frozenset[str]:
    """The names that columns with ids of persons have, in any contract."""
    return frozenset(name for each in contracts() for name in each.persons)


def refuse_broken(name: str) -> None:
    """Raise ContractError if the contract of that name cannot be used."""
    for broken in broken_contracts():
        if name in (broken.stream, broken.key):
            raise broken.error()


def _clash(found: dict[Path, Contract], path: Path, new: Contract) -> BrokenContract | None:
    for attribute in ("name", "kafka_topic"):
        value = getattr(new, attribute)
        for first, other in found.items():
            if getattr(other, attribute) == value:
                return doubled(path, new.name, attribute, value, first)
    return None


def _found() -> Iterator[tuple[Path, Contract | BrokenContract]]:
    yield from _of_package(package)
    yield from _of_package(recommended)
    of_users = _sources_of_users()
    for path, each in _of_package(collected):
        if isinstance(each, BrokenContract):
            yield path, each
        else:
            yield from _with_sources(path, each, of_users)
    folder = os.environ.get(EXTRA_CONTRACTS)
    if folder:
        if not Path(folder).is_dir():
            raise ContractError(
                f"{EXTRA_CONTRACTS}={folder} is not a folder; set it to the folder that holds your "
                "contracts, or unset it"
            )
        for path in sorted(Path(folder).glob("*.py")):
            # Modules that contracts import from each other begin with an underscore.
            if not path.name.startswith("_"):
                yield path, load_contract(path)


def _of_package(of: ModuleType) -> Iterator[tuple[Path, Contract | BrokenContract]]:
    for info in pkgutil.iter_modules(of.__path__):
        path = Path(of.__path__[0]) / f"{info.name}.py"
        try:
            module = importlib.import_module(f"{of.__name__}.{info.name}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it stops this stream alone
            yield path, broken_by(path, error)
            continue
        if isinstance(declared := getattr(module, "CONTRACT", None), Contract):
            yield path, declared


def _sources_of_users() -> list[tuple[Path, str, Mapping[str, Mapping[str, str]]]]:
    """The user's connectors that have `SOURCES`: file, platform, and the places by stream."""
    folder = os.environ.get(CONNECTORS)
    found = []
    for path in sorted(Path(folder).glob("*.py")) if folder else ():
        if path.name.startswith("_"):
            continue
        try:
            module = import_file(path, f"social_assets_sources_{path.stem}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the registry of connectors tells it
            _log.debug("no sources from %s: %s", path, error)
            continue
        platform = getattr(getattr(module, "CONNECTOR", None), "platform", None)
        sources = getattr(module, "SOURCES", None)
        if isinstance(platform, str) and isinstance(sources, Mapping):
            found.append((path, platform, sources))
    return found


def _with_sources(
    path: Path,
    stream: Contract,
    of_users: Sequence[tuple[Path, str, Mapping[str, Mapping[str, str]]]],
) -> Iterator[tuple[Path, Contract | BrokenContract]]:
    """The contract with the sources of the user's platforms, and those that cannot be used."""
    for connector, platform, sources in of_users:
        if stream.name not in sources:
            continue
        try:
            stream = replace(stream, sources={**stream.sources, platform: sources[stream.name]})
        except (TypeError, ValueError, AttributeError) as error:
            name = f"{stream.name}_{platform.lower()}"
            yield connector, BrokenContract(connector, None, name, str(error), "correct SOURCES")
    yield path, stream


def load_contract(path: Path) -> Contract | BrokenContract:
    """The contract in a file, or what is wrong with it."""
    try:
        module = import_file(path, f"social_assets_contract_{path.stem}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it stops this stream alone
        return broken_by(path, error)
    if module is None:
        return BrokenContract(
            path, None, path.stem, "no Python module", "give the file a name that ends in .py"
        )
    declared = getattr(module, "CONTRACT", None)
    return declared if isinstance(declared, Contract) else without_contract(path)
