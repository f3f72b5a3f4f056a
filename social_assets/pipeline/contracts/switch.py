"""What follows the commit that replaces a stream's rows by those of another contract.

Belongs here: ledger and warehouse. Whoever takes the stream's lock completes it first, so a process
that was killed in between leaves no mixture.
"""

from __future__ import annotations

import pyarrow as pa

from social_assets.contracts.changes.contract_text import contract_of
from social_assets.lake.contracts.deployed_contracts import CONTRACT
from social_assets.lake.delta import Applied
from social_assets.pipeline.contracts.contract_in_force import ContractInForce
from social_assets.pipeline.contracts.redivided_raw import REDIVIDED
from social_assets.pipeline.contracts.staged_rows import StagedRows
from social_assets.pipeline.ledger_counts import reconcile, recount_cleaned, recount_raw
from social_assets.pipeline.load import all_rows
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.micro_batch import MICRO_BATCH

REBUILT = "contract_rebuilt"
"""The application id whose version is the number of the contract that all rows were made under."""

SWITCHED = "contract_switched"
"""The application id whose version is REBUILT's when the ledger and the warehouse follow."""


def transactions_of(stores: StreamStores, number: int) -> list[Applied]:
    """The transactions of the commit of the cleaned table that puts contract `number` in force."""
    found = [Applied(CONTRACT, number), Applied(REBUILT, number)]
    if (landed := stores.raw.applied_version(MICRO_BATCH)) is not None:
        found.append(Applied(MICRO_BATCH, landed))
    return found


def complete_division(stores: StreamStores) -> None:
    """Replace quarantine and cleaned if only raw is divided by the days of the next contract.

    The caller must hold the stream's lock.
    """
    number = stores.raw.applied_version(REDIVIDED) or 0
    if number <= (stores.cleaned.applied_version(REBUILT) or 0):
        return
    text = stores.stores.lake.deployed_contracts(stores.declared).text_of(number)
    contract = contract_of(text, stores.declared)
    between = ContractInForce(stores.contract, contract, is_recorded=True)
    staged = StagedRows(stores.stores.of(contract).under(between), number, moves=True)
    staged.put_in_force(*transactions_of(stores, number))
    stores.forget_in_force()


def complete_switch(stores: StreamStores) -> None:
    """Count the rows anew and replace the warehouse's table, unless that is done.

    The caller must hold the stream's lock.
    """
    versions = stores.cleaned.applied_versions((REBUILT, SWITCHED))
    number = versions.get(REBUILT, 0)
    if versions.get(SWITCHED, 0) >= number:
        return
    if stores.raw.applied_version(REDIVIDED) == number:
        recount_raw(stores)
    else:
        reconcile(stores)
    recount_cleaned(stores)
    stores.loader.prepare()
    stores.loader.record_all_pending()
    schema, rows = all_rows(stores)
    stores.loader.replace_all(pa.RecordBatchReader.from_batches(schema, rows))
    left_out = quarantined(stores)
    stores.loader.mark_loaded({b: 0 for b in stores.ledger.days("raw") if b not in left_out})
    for layer in ("cleaned", "quarantine"):
        stores.stores.lake.staged(layer, stores.declared, number).remove()
    stores.stores.lake.redivided(stores.declared, number).remove()
    # Last: of a process that is killed before, the next one removes what is left.
    stores.cleaned.record_applied(Applied(SWITCHED, number))
