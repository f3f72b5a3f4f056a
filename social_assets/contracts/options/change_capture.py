"""The kind *changes* of a contract: rows are the changes of a database's table, in their order.

Belongs here: what such a contract declares beside its columns, the columns that each change has,
and the words for what a change did. Reading a change from a record belongs to `ingest.cdc`, the
view of the newest rows to `warehouse.current`. Imports nothing else of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pandera.ibis as pa

ChangeOp = Literal["create", "update", "delete", "read", "truncate", "tombstone"]

OPS: tuple[ChangeOp, ...] = ("create", "update", "delete", "read", "truncate", "tombstone")
"""What a change did. `read` is a row of a snapshot. A tombstone stands for a delete that compaction
of the topic has removed."""

REMOVALS: tuple[ChangeOp, ...] = ("delete", "truncate", "tombstone")
"""Changes after which the row, or every row, is gone. They carry the key at most."""

OP = "change_op"
POSITION = "change_position"
LSN = "change_lsn"
CHANGED_AT = "changed_at"
UNSENT = "unsent_columns"

URL_VARIABLE = "SOCIAL_ASSETS_CAPTURE_URL"
"""The environment variable that holds the database's URL. A contract may name another one, which
begins with this and two underscores: what holds a password is known by its name.
"""

_LONGEST_SLOT = 63


class RowChange(pa.DataFrameModel):
    """One change of one row: what the model of a contract of this kind is derived from."""

    change_op: str = pa.Field(
        isin=list(OPS), description="create, update, delete, read (snapshot), truncate, tombstone"
    )
    change_position: str = pa.Field(description="Position in the database's log, and the operation")
    change_lsn: int = pa.Field(nullable=True, description="Log sequence number")
    change_transaction: int = pa.Field(nullable=True, description="Id of the transaction")
    changed_at: datetime = pa.Field(description="Commit, or the snapshot's begin, UTC")
    unsent_columns: list[str] = pa.Field(
        nullable=True, description="Columns whose unchanged value the database did not send"
    )


@dataclass(frozen=True)
class ChangeCapture:
    """Which table's changes a stream holds, and where the table is.

    `table` is `schema.table`, `primary_key` names the contract's columns of its primary key.
    `url_variable` names the environment variable that holds the database's URL,
    `postgresql://user:password@host:port/database`: URL_VARIABLE, or one such as
    `SOCIAL_ASSETS_CAPTURE_URL__SHOP` for a second database. `slot` is the replication slot and the
    publication, `social_assets_<stream>` by default.
    """

    table: str
    primary_key: tuple[str, ...]
    url_variable: str = URL_VARIABLE
    slot: str = ""

    def slot_of(self, stream: str) -> str:
        """The name of the replication slot, and of the publication."""
        return self.slot or f"social_assets_{stream}"[:_LONGEST_SLOT]
