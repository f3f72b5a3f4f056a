"""Lists the backups of a folder, for the command `backups`."""

from __future__ import annotations

from dataclasses import dataclass

from social_assets.operate.disaster.backup_folder import listed_folder
from social_assets.operate.disaster.manifest import Backup, BackupError


@dataclass(frozen=True)
class ListedBackup:
    """A backup as it is listed; `backup` is None if its manifest is damaged."""

    id: str
    backup: Backup | None

    @property
    def row(self) -> tuple[object, ...]:
        """The values of COLUMNS."""
        if self.backup is None:
            return self.id, "damaged", None, None, None, None, None
        made = self.backup
        return (
            self.id,
            "complete",
            made.pinned_at,
            made.home,
            len(made.files),
            made.bytes,
            made.copied_bytes,
        )


COLUMNS = ("id", "state", "lake_as_of", "home", "files", "bytes", "copied_bytes")


def list_backups(url: str) -> list[ListedBackup]:
    """The backups of a folder, oldest first. Raises BackupError if it is no folder of backups."""
    found: list[ListedBackup] = []
    with listed_folder(url) as folder:
        for id_ in folder.ids():
            try:
                found.append(ListedBackup(id_, folder.read(id_)))
            except BackupError:
                found.append(ListedBackup(id_, None))
    return found
