"""Active alerts of files that could not be loaded: one a file.

An alert ends when a file of that name is loaded, or when somebody acknowledges it.
"""

from __future__ import annotations

from collections.abc import Iterable

from resources.settings.home import Home
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.lake.failed_files import FailedFile
from social_assets.pipeline.files.failed_files import unresolved_failures
from social_assets.pipeline.files.landing_folder import Landing

DETAIL_CHARACTERS = 300


def observe_files(contracts: Iterable[Contract], stores: StoresResource) -> Observation:
    """The failed files of every stream. If a record cannot be read, its earlier alerts remain."""
    from deltalake.exceptions import DeltaError

    landing, lake = Home.from_environment().landing, stores.stores()
    active: list[ActiveAlert] = []
    blind: list[str] = []
    for contract in contracts:
        try:
            failed = unresolved_failures(lake.of(contract), Landing(landing, contract.name))
        except (OSError, DeltaError):
            # `observe_streams` reads the same lake, and tells that it does not answer.
            blind.append(f"file/{contract.name}/")
            continue
        active += [_active_alert(contract, each) for each in failed]
    return Observation(tuple(active), tuple(blind))


def _active_alert(contract: Contract, file: FailedFile) -> ActiveAlert:
    return ActiveAlert(
        key=f"file/{contract.name}/{file.name}",
        kind=FailureKind.FILE,
        severity=Severity.ERROR,
        title=f"file {file.name} of {contract.name} could not be loaded",
        owner=contract.owner,
        detail=file.reason[:DETAIL_CHARACTERS],
        remedy=(
            f"correct it and load it under the same name; or, if it is dealt with: `social-assets "
            f"failed-files {contract.name} --acknowledge '{file.name}'`"
        ),
        run_id=file.run_id,
        asset=f"raw/{contract.name}",
    )
