"""What a folder or a bucket must do to keep backups.

Belongs here: the interface. What the files mean belongs to `backup_folder`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol


class BackupPlace(Protocol):
    """Files by name, such as `objects/ab/abcd...`, in a folder or a bucket."""

    @property
    def url(self) -> str:
        """The place, as people name it."""

    @property
    def unfinished(self) -> Path:
        """A folder of this machine, in which files are written before they are moved in."""

    def names(self) -> set[str]:
        """What is at the top; nothing if the place does not exist."""

    def sizes(self, below: str) -> Mapping[str, int]:
        """The bytes of the files below a folder, by their last names."""

    def move_in(self, file: Path, name: str, *, is_last: bool = False) -> None:
        """Move a file of `unfinished` to its name; readers see all of it, or nothing.

        Only the last one, and those before a `flush`, survive a loss of power at once.
        """

    def flush(self) -> None:
        """Let all that was moved in survive a loss of power."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to read. Raises FileNotFoundError."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""

    def where(self, name: str) -> str:
        """The path or URL of a file, for messages."""

    def held(self, *, to_write: bool) -> AbstractContextManager[None]:
        """Hold it for one backup, or for restores. Raises BackupError if another process has it."""

    def check_held(self) -> None:
        """Raise BackupError if another process may have taken this place meanwhile."""
