"""Makes a backup in a process that kills itself at a moment: `object N`, `flush` or `manifest`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from resources.settings.home import Home
from social_assets.operate.disaster.backup import make_backup
from social_assets.operate.disaster.backup_folder import BackupFolder, StoredContent
from social_assets.operate.disaster.places import folder as folders


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(moment: str) -> None:
    """Die there, with everything as it is on disk then."""
    keep, kept = BackupFolder._keep, [0]
    flush = folders._flush

    def keep_some(folder: BackupFolder, file: Path, content: StoredContent) -> None:
        if moment == f"object {kept[0]}":
            die()
        kept[0] += 1
        keep(folder, file, content)

    def flush_or_die(path: Path) -> None:
        if moment == "flush":
            die()
        # The manifest is whole, and not yet in its place.
        flush(path)
        if moment == "manifest" and path.parent.name == "unfinished":
            die()

    BackupFolder._keep = keep_some  # type: ignore[method-assign]
    folders._flush = flush_or_die


if __name__ == "__main__":
    home, target, at = sys.argv[1:]
    kill_at(at)
    make_backup(Home(Path(home)), target, print)
