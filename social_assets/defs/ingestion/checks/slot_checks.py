"""Whether the replication slot of a stream of changes is read: a check of raw.

Belongs here: the check. What a slot's state means belongs to `ingest.cdc.slot`.
"""

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    asset_check,
)

from social_assets.contracts.contract import Contract
from social_assets.ingest.cdc.slot import ERROR_SHARE, WARN_SHARE, SlotState, examine_slot
from social_assets.ingest.cdc.source_database import (
    SourceDatabaseError,
    source_address,
    source_database,
)

SLOT_IS_READ = "slot_is_read"


def slot_is_read(contract: Contract) -> AssetChecksDefinition:
    """The slot keeps less of the database's log than the database allows. Streams of changes."""
    capture = contract.capture
    if capture is None:
        raise ValueError(f"{contract.name} is no stream of changes")
    slot = capture.slot_of(contract.name)

    @asset_check(
        asset=["raw", contract.name],
        name=SLOT_IS_READ,
        description=(
            f"The replication slot {slot} is read, and keeps at most {WARN_SHARE:.0%} of "
            f"max_slot_wal_keep_size (error above {ERROR_SHARE:.0%}, and if it is lost)"
        ),
    )
    def check() -> AssetCheckResult:
        address = source_address(capture.url_variable)
        if address is None:
            return AssetCheckResult(
                passed=True,
                description=f"{capture.url_variable} names no database: there is no slot to watch",
            )
        try:
            with source_database(address) as database:
                state = database.slot(slot)
        except SourceDatabaseError as error:
            # A failed check, not a crash: if the database is away, a backfill must not fail.
            return AssetCheckResult(
                passed=False, description=f"the state of slot {slot} is not known: {error}"
            )
        found = examine_slot(contract.name, slot, state)
        return AssetCheckResult(
            passed=found.level == "fine",
            severity=(
                AssetCheckSeverity.ERROR if found.level == "error" else AssetCheckSeverity.WARN
            ),
            description=found.text,
            metadata={} if state is None else _metadata(state),
        )

    return check


def _metadata(state: SlotState) -> dict[str, MetadataValue]:
    sizes = {
        "kept_bytes": state.kept_bytes,
        "behind_bytes": state.behind_bytes,
        "limit_bytes": state.limit_bytes,
        "safe_bytes": state.safe_bytes,
    }
    return {
        "wal_status": MetadataValue.text(state.wal_status),
        "active": MetadataValue.bool(state.is_active),
        **{name: MetadataValue.int(size) for name, size in sizes.items() if size is not None},
    }
