"""Records the engine versions that have written a data folder: a line each, the newest last."""

from __future__ import annotations

import logging
from pathlib import Path

from resources.machine.file_locks import write_atomically

_log = logging.getLogger(__name__)


class ForeignVersionError(RuntimeError):
    """A newer engine wrote the folder; this one may misread or damage it."""


def check_version(path: Path) -> None:
    """Raise ForeignVersionError if a newer engine has written the folder."""
    import chdb

    written, own = last_version(path), chdb.engine_version
    if written is not None and _number(written) > _number(own):
        raise ForeignVersionError(
            f"{path.parent} was last written by ClickHouse {written}, and this is the older {own}. "
            f"Install that version again (pip install 'chdb-core>={_release(written)}'), or set "
            "SOCIAL_ASSETS_HOME to another folder"
        )


def record_version(path: Path, version: str) -> None:
    """Record that this version writes the folder from now on."""
    written = last_version(path)
    if written == version:
        return
    if written is not None:
        _log.info("%s goes from ClickHouse %s to %s", path.parent, written, version)
    history = path.read_text() if path.exists() else ""
    write_atomically(path, f"{history}{version}\n")


def last_version(path: Path) -> str | None:
    """The version that wrote last; None for a new folder."""
    lines = path.read_text().split() if path.exists() else []
    return lines[-1] if lines else None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _release(version: str) -> str:
    return ".".join(version.split(".")[:2])
