"""The files that were moved to `loaded/` lately, and what they were like then.

Belongs here: finding files that a program has gone on writing after they were moved. It has the
file open, so what it writes arrives in `loaded/`. The record is a file in that folder.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from social_assets.pipeline.files.unfinished_files import Seen

WATCHED_SECONDS = 24 * 3600
"""How long after its move a file is watched."""

_RECORD = ".moved.json"


@dataclass(frozen=True)
class MovedFile:
    """A file in `loaded/`: its batch, what was seen of it, and when it was moved."""

    name: str
    batch_id: str
    seen: Seen
    moved_at: float


@dataclass(frozen=True)
class MovedFiles:
    """The record of one folder `loaded/`."""

    folder: Path

    def add(self, name: str, batch_id: str, seen: Seen) -> None:
        """Record a file that is about to be moved into the folder under a name; forget those that
        were moved long ago.
        """
        now = time.time()
        kept = {m.name: m for m in self._all() if now - m.moved_at < WATCHED_SECONDS}
        kept[name] = MovedFile(name, batch_id, seen, now)
        part = self.folder / f"{_RECORD}.part"
        part.write_text(json.dumps([asdict(each) for each in kept.values()]))
        part.replace(self.folder / _RECORD)

    def rewritten(self) -> dict[Path, str]:
        """The files that have changed since they were moved, and the batch of each."""
        return {
            self.folder / each.name: each.batch_id
            for each in self._all()
            if Seen.of(self.folder / each.name) not in (each.seen, None)
        }

    def _all(self) -> list[MovedFile]:
        try:
            rows = json.loads((self.folder / _RECORD).read_text())
        except FileNotFoundError:
            return []
        return [MovedFile(**(row | {"seen": Seen(**row["seen"])})) for row in rows]
