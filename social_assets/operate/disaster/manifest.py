"""The manifest of a backup: which files it has, by path in the home and by content.

Belongs here: the format. The text begins with its own SHA-256, so that a changed one is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath

FORMAT = 1


class BackupError(RuntimeError):
    """A backup can't be made, read or restored; the text names the thing, place and remedy."""


@dataclass(frozen=True)
class BackedUpFile:
    """A file of a backup.

    `sign` tells the next backup of the same home whether the file is as it was; "" if it may have
    changed within the resolution of its time.
    """

    path: str
    size: int
    sha256: str
    sign: str = ""


@dataclass(frozen=True)
class Backup:
    """All that one backup has. `began_at` is when the first store was copied, `pinned_at` when the
    versions of the lake's `tables` were read; times are UTC. `left_out` are files that were written
    all the time. `lacks_secret_key`: the home has a file of keys, and the backup does not.
    """

    id: str
    home: str
    host: str
    release: str
    began_at: datetime
    pinned_at: datetime
    ended_at: datetime
    tables: Mapping[str, int]
    left_out: Sequence[str]
    lacks_secret_key: bool
    files: Sequence[BackedUpFile]
    copied_files: int
    copied_bytes: int
    lake_url: str = ""
    """The object store that has the lake, of which the backup has the versions alone; "" if the
    lake is in the backup."""

    @property
    def bytes(self) -> int:
        """The bytes of all files, of which earlier backups may have most."""
        return sum(each.size for each in self.files)

    def text(self) -> str:
        """The manifest as it is stored."""
        told = asdict(self) | {
            "format": FORMAT,
            "files": [[f.path, f.size, f.sha256, f.sign] for f in self.files],
        }
        document = json.dumps(told, default=datetime.isoformat, ensure_ascii=False)
        return f"{_sha256(document)}\n{document}\n"


def read_manifest(name: str, text: str) -> Backup:
    """The backup of a manifest; `name` is for errors. Raises BackupError if it is damaged."""
    checksum, _, document = text.partition("\n")
    if checksum != _sha256(document.removesuffix("\n")):
        raise BackupError(
            f"the manifest {name} is damaged: this backup can't be used. Restore another one "
            "(`social-assets backups` lists them) with --backup; delete this manifest"
        )
    told = json.loads(document)
    if (form := told.pop("format")) != FORMAT:
        raise BackupError(
            f"the manifest {name} has format {form}, and this release reads {FORMAT}; use release "
            f"{told['release']} of social-assets"
        )
    for moment in ("began_at", "pinned_at", "ended_at"):
        told[moment] = datetime.fromisoformat(told[moment])
    files = [BackedUpFile(*each) for each in told.pop("files")]
    if outside := [each.path for each in files if not _is_below(each.path)]:
        raise BackupError(f"the manifest {name} has a path outside of a home: {outside[0]}")
    return Backup(**told, files=files)


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and path != ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
