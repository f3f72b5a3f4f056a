"""The reserve of free space on the disk, and the errors of a full disk.

Belongs here: the reserve below which inserts are refused, and the texts of the errors. Merges,
mutations and deletes may use the reserve, because they free space; only inserts keep it.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.sql.scan import first_keyword, top_level_tokens
from resources.machine.disk_space import RESERVE_VARIABLE, DiskSpace, readable

_SWAP_BYTES = 32 * 1024**2
_FULL = (errno.ENOSPC, errno.EDQUOT)
_AS_SELECT_IN_PARENTHESES = re.compile(rb"\bAS\s*\(\s*(?:SELECT|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Room:
    """The folders of the engine's data and of bodies, and the bytes that must stay free there."""

    data: Path
    spool: Path
    reserve_bytes: int

    def require(self) -> None:
        """Raise NOT_ENOUGH_SPACE if the disk of the data is below the reserve."""
        self._require(self.data)

    def require_for_spool(self) -> None:
        """Raise NOT_ENOUGH_SPACE if the disk of the bodies is below the reserve."""
        self._require(self.spool)

    def require_for_swap(self, unreserved_bytes: int) -> None:
        """Raise NOT_ENOUGH_SPACE if a swap of partitions may fill the disk.

        The engine puts the new parts in place, and then writes an empty part which records that the
        old parts are removed. If that write fails, the old parts come back beside the new ones at
        the next start, and the partition is doubled. `unreserved_bytes` is the free space that no
        merge has reserved.
        """
        self._require(self.data)
        if unreserved_bytes < _SWAP_BYTES:
            raise ClickHouseError(
                243,
                "NOT_ENOUGH_SPACE",
                f"the disk of {self.data} has {readable(unreserved_bytes)} that no merge has "
                f"reserved; a swap of partitions asks for {readable(_SWAP_BYTES)}. Nothing was "
                "changed. Make room",
            )

    def _require(self, folder: Path) -> None:
        space = DiskSpace.of(folder, self.reserve_bytes)
        if space.is_below_reserve:
            raise ClickHouseError(
                243,
                "NOT_ENOUGH_SPACE",
                f"the disk of {folder} has {readable(space.free_bytes)} free, less than the "
                f"reserve of {readable(space.reserve_bytes)} that inserts must leave; nothing was "
                "inserted. Make room (DROP, TRUNCATE and ALTER ... DELETE still work), or set "
                f"{RESERVE_VARIABLE} lower and restart the server",
            )


@contextmanager
def writes_to(folder: Path) -> Iterator[None]:
    """Convert errors of the file system in this block to ClickHouse's errors, with the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ClickHouseError(
                243,
                "NOT_ENOUGH_SPACE",
                f"the disk of {folder} is full ({error.strerror}); nothing was inserted. Make room",
            ) from error
        raise ClickHouseError(
            75,
            "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
            f"{folder} can't be written: {error.strerror}; nothing was inserted",
        ) from error


def swaps_parts(text: bytes) -> bool:
    """Whether a statement replaces parts of a table, or moves parts to another table."""
    words = {token.text.upper() for token in top_level_tokens(text) if token.kind == "word"}
    is_swap = words >= {"REPLACE", "PARTITION"} or words >= {"MOVE", "PARTITION"}
    return is_swap and first_keyword(text) == "ALTER"


def takes_room(text: bytes) -> bool:
    """Whether a statement that is not a SELECT writes or rewrites rows.

    Deletes write parts too, but free more space than they take.
    """
    words = {token.text.upper() for token in top_level_tokens(text) if token.kind == "word"}
    if "INSERT" in words:
        return True
    match first_keyword(text):
        case "UPDATE" | "OPTIMIZE" | "BACKUP" | "RESTORE":
            return True
        case "ALTER":
            return bool(words & {"UPDATE", "MATERIALIZE"}) or words >= {"MODIFY", "COLUMN"}
        case "CREATE" | "REPLACE" | "ATTACH":
            if words & {"VIEW", "EMPTY"}:
                return "POPULATE" in words
            return "SELECT" in words or bool(_AS_SELECT_IN_PARENTHESES.search(text))
        case _:
            return False
