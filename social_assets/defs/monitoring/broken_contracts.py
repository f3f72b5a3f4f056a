"""`contracts/<stream>`: an asset and a failed check for each contract that cannot be used.

Belongs here: how the graph shows them. They exist only while there are such contracts, and the
check says what `contracts.registry` found. A sensor requests the job once for each new reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetSelection,
    AssetSpec,
    MetadataValue,
    asset_check,
    define_asset_job,
)

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.contracts.refusals.broken import BrokenContract
from social_assets.contracts.registry import broken_contracts

GROUP = "contracts"
CHECK = "contract_can_be_used"
CHECK_CONTRACTS = "check_contracts"
RELOAD = "then reload the code locations, or start `social-assets dev` again"


def broken_by_stream() -> dict[str, list[BrokenContract]]:
    """The contracts that cannot be used, by the last part of their asset's key."""
    found: dict[str, list[BrokenContract]] = {}
    for each in broken_contracts():
        found.setdefault(each.key, []).append(each)
    return found


def broken_contract_assets() -> list[AssetSpec]:
    """An asset a stream whose contract cannot be used; nothing makes it."""
    return [
        AssetSpec(
            [GROUP, stream],
            group_name=GROUP,
            description=(
                f"The contract of {stream} cannot be used: the stream has no assets, and nothing "
                f"of it is loaded. {_told(broken)}"
            ),
        )
        for stream, broken in broken_by_stream().items()
    ]


def broken_contract_checks() -> list[AssetChecksDefinition]:
    """A check on each of these assets, which fails."""
    return [_check(stream, broken) for stream, broken in broken_by_stream().items()]


def check_contracts() -> list[UnresolvedAssetJobDefinition]:
    """The job of these checks; none if every contract can be used."""
    if not broken_contracts():
        return []
    return [
        define_asset_job(
            CHECK_CONTRACTS,
            selection=AssetSelection.checks(*broken_contract_checks()),
            description="Show which contracts cannot be used, and why",
        )
    ]


def _check(stream: str, broken: Sequence[BrokenContract]) -> AssetChecksDefinition:
    @asset_check(
        asset=[GROUP, stream],
        name=CHECK,
        description=f"The contract of {stream} can be loaded",
    )
    def check() -> AssetCheckResult:
        return AssetCheckResult(
            passed=False,
            description=f"{_told(broken)}; {RELOAD}",
            metadata={
                "files": MetadataValue.json([each.place for each in broken]),
                "reasons": MetadataValue.json([each.reason for each in broken]),
            },
        )

    return check


def _told(broken: Sequence[BrokenContract]) -> str:
    return "; ".join(str(each) for each in broken)
