"""What is wrong with a contract that cannot be used: file, line, stream, reason, remedy.

Belongs here: the value, and how it is read from the error that a contract's file raised. Finding
the files belongs to `registry`, the reasons for which a contract is refused to `refuse`.
"""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from social_assets.contracts.refusals.refuse_columns import RefusedError

EXTRA_CONTRACTS = "SOCIAL_ASSETS_CONTRACTS"
"""Environment variable: a folder with the user's own contracts (`*.py`)."""

_CORRECT = f"correct the contract, or take the file out of the folder that {EXTRA_CONTRACTS} names"


class ContractError(ValueError):
    """A contract cannot be used; the text names file, line, stream and remedy."""


@dataclass(frozen=True)
class BrokenContract:
    """A contract that cannot be used. `stream` is the file's name if the file names no stream."""

    path: Path
    line: int | None
    stream: str
    reason: str
    remedy: str = _CORRECT

    @property
    def place(self) -> str:
        """The file, and the line if it is known."""
        return f"{self.path}, line {self.line}" if self.line else str(self.path)

    @property
    def key(self) -> str:
        """The stream's name if it can be the name of a stream, or else one made of the file's."""
        if re.fullmatch(r"[a-z][a-z0-9_]*", self.stream):
            return self.stream
        return re.sub(r"[^a-z0-9_]+", "_", self.path.stem.lower()).strip("_") or "contract"

    def error(self) -> ContractError:
        """The error of a command that needs the contract."""
        return ContractError(str(self))

    def __str__(self) -> str:
        return f"{self.place}, stream {self.stream}: {self.reason}; {self.remedy}"


def broken_by(path: Path, error: BaseException) -> BrokenContract:
    """What is wrong with a contract's file, from the exception that executing it raised."""
    if isinstance(error, RefusedError):
        line = (error.column and _line_of_column(path, error.column)) or _line_in(path, error)
        return BrokenContract(path, line, error.stream, error.reason, error.remedy)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line, text = error.lineno, f"syntax error, {error.msg}"
    else:
        line = _line_in(path, error)
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return BrokenContract(path, line, stream_in(path), text)


def without_contract(path: Path) -> BrokenContract:
    """A file in the user's folder that declares no stream."""
    return BrokenContract(
        path,
        None,
        stream_in(path),
        f"the file, in the folder of {EXTRA_CONTRACTS}, has no CONTRACT",
        "add `CONTRACT = Contract(name=..., ...)`, or begin the file's name with an underscore if "
        "it holds no stream",
    )


def doubled(path: Path, stream: str, attribute: str, value: str, first: Path) -> BrokenContract:
    """A contract whose name or topic an earlier file has."""
    option = "name" if attribute == "name" else "topic"
    return BrokenContract(
        path,
        line_of_contract(path),
        stream,
        f"two contracts have the {option} {value}: {first}, which is used, and {path}",
        f"give {path.name} another `{option}`, or remove the file",
    )


def stream_in(path: Path) -> str:
    """The stream's name in the file if it can be read, or else the file's name."""
    for call in _contract_calls(path):
        for keyword in call.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return path.stem


def line_of_contract(path: Path) -> int | None:
    """The line where the file declares its stream."""
    return next((call.lineno for call in _contract_calls(path)), None)


def _contract_calls(path: Path) -> Iterator[ast.Call]:
    for node in _nodes(path):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name | ast.Attribute)
            and ast.unparse(node.func).endswith("Contract")
        ):
            yield node


def _line_of_column(path: Path, column: str) -> int | None:
    for node in _nodes(path):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == column:
            return node.lineno
    return None


def _nodes(path: Path) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return


def _line_in(path: Path, error: BaseException) -> int | None:
    """The line of the file that was being executed."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == str(path)), None)
