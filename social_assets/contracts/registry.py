"""Finds the contracts: modules with `CONTRACT` in this folder and in one folder of the user.

Belongs here: only discovery. `contract.py` says what a contract is.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import pkgutil
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import social_assets.contracts as package
from social_assets.contracts.contract import Contract

EXTRA_CONTRACTS = "SOCIAL_ASSETS_CONTRACTS"
"""Environment variable: a folder with the user's own contracts (`*.py`)."""


class UnknownStreamError(LookupError):
    """No contract has that name."""


class ContractError(ValueError):
    """A contract cannot be used; the text names file, line, stream and remedy."""


@cache
def contracts() -> tuple[Contract, ...]:
    """All contracts, by name. Raises ContractError if one cannot be loaded, or if two have the same
    name or topic.
    """
    found = [m.CONTRACT for m in _modules() if isinstance(getattr(m, "CONTRACT", None), Contract)]
    for attribute in ("name", "kafka_topic"):
        values = [getattr(c, attribute) for c in found]
        doubled = sorted({v for v in values if values.count(v) > 1})
        if doubled:
            raise ContractError(
                f"two contracts have the {attribute} {', '.join(doubled)}; "
                f"rename one (in social_assets/contracts or the folder of {EXTRA_CONTRACTS})"
            )
    return tuple(sorted(found, key=lambda c: c.name))


def contract(name: str) -> Contract:
    """The contract of one stream. Raises UnknownStreamError, which names the existing ones."""
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
            raise ContractError(
                f"{EXTRA_CONTRACTS}={folder} is not a folder; set it to the folder that holds your "
                "contracts, or unset it"
            )
        for path in sorted(Path(folder).glob("*.py")):
            # Modules that contracts import from each other begin with an underscore.
            if not path.name.startswith("_"):
                yield _load(path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"social_assets_contract_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ContractError(f"{path} can't be loaded as a Python module; correct the file's name")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _broken(path, error) from error
    if not isinstance(getattr(module, "CONTRACT", None), Contract):
        raise ContractError(
            f"{path}, in the folder of {EXTRA_CONTRACTS}, has no CONTRACT; add "
            "`CONTRACT = Contract(name=..., ...)`, or begin the file's name with an underscore if "
            "it holds no stream"
        )
    return module


def _broken(path: Path, error: Exception) -> ContractError:
    """What is wrong with a contract's file, from the exception that executing it raised."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line, text = error.lineno, f"syntax error, {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((f.lineno for f in reversed(frames) if f.filename == str(path)), None)
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    place = f"{path}, line {line}" if line else str(path)
    return ContractError(
        f"{place}, stream {_stream_in(path)}: {text}. Correct the contract, or take the file out "
        f"of the folder that {EXTRA_CONTRACTS} names"
    )


def _stream_in(path: Path) -> str:
    """The stream's name in the file if it can be read, or else the file's name."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return path.stem
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name | ast.Attribute) and "Contract" in ast.unparse(call.func):
            for keyword in call.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return path.stem
