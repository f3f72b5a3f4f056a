"""Finds the contracts: each module with `CONTRACT`, here and in one folder of the user's.

Here belongs discovery alone; what a contract is stands in `contract.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import social_assets.contracts as package
from social_assets.contracts.contract import Contract

EXTRA_CONTRACTS = "SOCIAL_ASSETS_CONTRACTS"
"""Environment variable: a folder whose `*.py` files are contracts of the user's own."""


class UnknownStreamError(LookupError):
    """No contract has that name."""


@cache
def contracts() -> tuple[Contract, ...]:
    """Every contract, by name. Raises ValueError if two claim one name or one topic."""
    found = [m.CONTRACT for m in _modules() if isinstance(getattr(m, "CONTRACT", None), Contract)]
    for attribute in ("name", "kafka_topic"):
        values = [getattr(c, attribute) for c in found]
        doubled = sorted({v for v in values if values.count(v) > 1})
        if doubled:
            raise ValueError(
                f"two contracts have the {attribute} {', '.join(doubled)}; "
                f"rename one (in social_assets/contracts or the folder of {EXTRA_CONTRACTS})"
            )
    return tuple(sorted(found, key=lambda c: c.name))


def contract(name: str) -> Contract:
    """The contract of one stream. Raises UnknownStreamError naming those that exist."""
    for candidate in contracts():
        if candidate.name == name:
            return candidate
    known = ", ".join(c.name for c in contracts())
    raise UnknownStreamError(f"no stream {name!r}; the streams are {known}")


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{info.name}")
    folder = os.environ.get(EXTRA_CONTRACTS)
    if folder:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"{EXTRA_CONTRACTS}={folder} is not a folder")
        for path in sorted(Path(folder).glob("*.py")):
            yield _load(path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"social_assets_contract_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded as a contract module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
