"""What the state of a replication slot means: fine, in danger, or lost, and what to do.

PostgreSQL keeps its log for a slot until the slot's reader has confirmed it, at most
`max_slot_wal_keep_size`. Beyond that the slot is lost, and with it the changes since. Belongs here:
what to tell of it. Asking the database belongs to `source_database`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SlotLevel = Literal["fine", "warn", "error"]

WARN_SHARE = 0.5
ERROR_SHARE = 0.8
"""Shares of `max_slot_wal_keep_size` that the slot keeps."""

_MEBIBYTE = 1024**2


@dataclass(frozen=True)
class SlotState:
    """A slot as the database shows it. Sizes are in bytes; None where the database gives none.

    `kept_bytes` is the log that the slot keeps from deletion, `behind_bytes` the log that its
    reader has not confirmed, `safe_bytes` what may still be written before the slot can be lost.
    """

    name: str
    wal_status: str
    is_active: bool
    kept_bytes: int | None
    behind_bytes: int | None
    limit_bytes: int | None
    safe_bytes: int | None

    @property
    def is_lost(self) -> bool:
        """Whether changes are gone that nobody has read."""
        return self.wal_status == "lost"


@dataclass(frozen=True)
class SlotDiagnostic:
    """How a slot is, and what to do about it."""

    level: SlotLevel
    text: str


def new_snapshot(stream: str) -> str:
    """The command that begins a stream anew."""
    return f"social-assets cdc deploy {stream} --snapshot"


def examine_slot(stream: str, name: str, state: SlotState | None) -> SlotDiagnostic:
    """Say how the slot `name` of a stream is. None: there is no such slot."""
    if state is None:
        return SlotDiagnostic(
            "error",
            f"there is no replication slot {name}: changes are not kept. If the stream was never "
            f"deployed: social-assets cdc deploy {stream}. If the slot was dropped, or the "
            f"database restored, a new snapshot is the way back: {new_snapshot(stream)}",
        )
    if state.is_lost:
        return SlotDiagnostic(
            "error",
            f"the replication slot {name} is lost: nobody read it until more than "
            f"max_slot_wal_keep_size was written, and changes are gone. A new snapshot is the way "
            f"back: {new_snapshot(stream)}",
        )
    if state.limit_bytes is None:
        return SlotDiagnostic(
            "error",
            f"max_slot_wal_keep_size is unlimited, so that the slot {name} can fill the database's "
            "disk: ALTER SYSTEM SET max_slot_wal_keep_size = '10GB', then SELECT pg_reload_conf()",
        )
    return _of_kept_log(state, state.limit_bytes)


def _of_kept_log(state: SlotState, limit: int) -> SlotDiagnostic:
    """Compare the log that the slot keeps with the limit, beyond which the slot is lost."""
    kept = state.kept_bytes or 0
    keeps = (
        f"keeps {kept / _MEBIBYTE:,.1f} MiB of the log, of at most {limit / _MEBIBYTE:,.0f} MiB "
        f"(wal_status {state.wal_status})"
    )
    told = f"the slot {state.name} {keeps}"
    remedy = "see social-assets cdc status; beyond the limit the slot is lost"
    if state.wal_status == "unreserved" or kept > ERROR_SHARE * limit:
        return SlotDiagnostic("error", f"{told}: {remedy}")
    if not state.is_active:
        return SlotDiagnostic(
            "warn",
            f"nobody reads the slot {state.name}, which {keeps}. A snapshot may be under way; else "
            "the worker does not run: social-assets cdc start",
        )
    if kept > WARN_SHARE * limit:
        return SlotDiagnostic("warn", f"{told}: {remedy}")
    return SlotDiagnostic("fine", told)
