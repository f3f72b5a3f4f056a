"""The view `current.<stream>` of a stream of changes: the rows that the table has now.

Belongs here: the SQL of that view. Changes are rows of `cleaned.<stream>`; they are never updated.

The newest change of a key decides, in the order in which changes landed, which for one key is the
order of the topic. The position in the database's log does not: after a lost slot, or in a database
that was restored, a snapshot has other positions than the changes before it.

A row that was removed unseen (by TRUNCATE, or while there was no slot) has no change that says so.
So all changes before the last truncate, or before the begin of the last snapshot, count for
nothing. The rows of one snapshot have the same log position, and snapshots with the same position
are of the same rows.
"""

from __future__ import annotations

from social_assets.contracts.contract import Contract
from social_assets.contracts.options.change_capture import (
    CHANGED_AT,
    LSN,
    OP,
    REMOVALS,
    UNSENT,
    RowChange,
)
from social_assets.warehouse.ddl import DATABASE as CLEANED

DATABASE = "current"

_OF_CHANGE = (LSN, CHANGED_AT)
"""What the view tells of the change that made a row what it is."""

_PLACE = "(c.ingested_at, c.`offset`)"
"""The order of landing. `ingested_at` is unique to a micro-batch or a file."""


def create_current_database() -> str:
    """The statement that creates the database of the views."""
    return f"CREATE DATABASE IF NOT EXISTS {DATABASE}"


def create_current_view(contract: Contract) -> str:
    """`CREATE OR REPLACE VIEW current.<stream>`: one row for each primary key that exists.

    Its columns are those of the table, and of the change that made the row what it is.
    """
    if contract.capture is None:
        raise ValueError(f"{contract.name} is no stream of changes")
    key = contract.capture.primary_key
    columns = ",\n      ".join(
        [
            *(f"c.{name} AS {name}" for name in key),
            *(_newest(name) for name in _columns(contract)),
            *(f"argMax(tuple(c.{name}), {_PLACE}).1 AS {name}" for name in _OF_CHANGE),
        ]
    )
    shown = ", ".join(current_columns(contract))
    changes = f"{CLEANED}.{contract.name} AS c"
    removals = ", ".join(f"'{op}'" for op in REMOVALS)
    return f"""CREATE OR REPLACE VIEW {DATABASE}.{contract.name} AS
WITH
  starts AS (
    SELECT number, max(start) AS start
    FROM (
      SELECT c.`partition` AS number, {_PLACE} AS start FROM {changes} WHERE c.{OP} = 'truncate'
      UNION ALL
      SELECT c.`partition` AS number, min({_PLACE}) AS start FROM {changes}
      WHERE c.{OP} = 'read' AND c.{LSN} = (
        SELECT argMax(c.{LSN}, {_PLACE}) FROM {changes} WHERE c.{OP} = 'read'
      )
      GROUP BY number
    )
    GROUP BY number
  ),
  newest AS (
    SELECT
      {columns},
      argMax(c.{OP}, {_PLACE}) AS last_op,
      argMax(c.`partition`, {_PLACE}) AS number,
      max({_PLACE}) AS place
    FROM {changes}
    WHERE c.{OP} != 'truncate'
    GROUP BY {", ".join(f"c.{name}" for name in key)}
  )
SELECT {shown}
FROM newest LEFT JOIN starts USING (number)
WHERE last_op NOT IN ({removals}) AND place >= start"""


def current_columns(contract: Contract) -> list[str]:
    """The columns of the view: the key, the table's others, and what is told of the change."""
    key = contract.capture.primary_key if contract.capture else ()
    return [*key, *_columns(contract), *_OF_CHANGE]


def _columns(contract: Contract) -> list[str]:
    """The columns of the table beside its key."""
    of_change = RowChange.to_schema().columns
    key = contract.capture.primary_key if contract.capture else ()
    return [name for name in contract.columns if name not in of_change and name not in key]


def _newest(name: str) -> str:
    """A column's newest value. In a tuple, since `argMax` passes over rows that have null."""
    return f"argMaxIf(tuple(c.{name}), {_PLACE}, NOT has(c.{UNSENT}, '{name}')).1 AS {name}"
