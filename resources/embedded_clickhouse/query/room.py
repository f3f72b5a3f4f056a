"""Room on the disk: who must leave some, and what is told when there is not enough.

Here belong the reserve of free space below which nothing is inserted, and the words for a disk
that takes no more. Merges, mutations and deletes are to work below the reserve, since they make
room again; so the reserve is kept by inserts alone.
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
    """The folders of the engine's data and of waiting bodies, and what must stay free there."""

    data: Path
    spool: Path
    reserve_bytes: int

    def require(self) -> None:
        """Raise NOT_ENOUGH_SPACE if the disk of the data is below the reserve."""
        self._require(self.data)

    def require_for_spool(self) -> None:
        """The same for bodies that wait on disk."""
        self._require(self.spool)

    def require_for_swap(self, unreserved_bytes: int) -> None:
        """Raise NOT_ENOUGH_SPACE where a swap of partitions may meet the end of the disk.

        The engine puts the new parts in place, and then writes an empty part that says that the
        old ones are gone. Without room for that it fails; the old parts come back beside the new
        ones at the next start, and the partition is doubled. `unreserved_bytes` is what merges
        leave of the free space.
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
    """Errors of the file system in this block, as ClickHouse's, with the folder."""
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
    """Whether a statement puts parts into a table in the place of others, or of another table."""
    words = {token.text.upper() for token in top_level_tokens(text) if token.kind == "word"}
    is_swap = words >= {"REPLACE", "PARTITION"} or words >= {"MOVE", "PARTITION"}
    return is_swap and first_keyword(text) == "ALTER"


def takes_room(text: bytes) -> bool:
    """Whether a statement that is not a SELECT writes rows, or writes rows again.

    Deletes write parts too, but end in more room than they began with.
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
