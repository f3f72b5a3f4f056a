"""What follows the commit that replaces a stream's rows by those of another contract.

Belongs here: ledger and warehouse. Whoever takes the stream's lock completes it first, so a process
that was killed in between leaves no mixture.
"""

from __future__ import annotations

import pyarrow as pa

from social_assets.lake.delta import Applied
from social_assets.pipeline.ledger_counts import reconcile, recount_cleaned
from social_assets.pipeline.load import all_rows
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stores import StreamStores

REBUILT = "contract_rebuilt"
"""The application id whose version is the number of the contract that all rows were made under."""

SWITCHED = "contract_switched"
"""The application id whose version is REBUILT's when the ledger and the warehouse follow."""


def complete_switch(stores: StreamStores) -> None:
    """Count the rows anew and replace the warehouse's table, unless that is done.

    The caller must hold the stream's lock.
    """
    versions = stores.cleaned.applied_versions((REBUILT, SWITCHED))
    number = versions.get(REBUILT, 0)
    if versions.get(SWITCHED, 0) >= number:
        return
    reconcile(stores)
    recount_cleaned(stores)
    stores.loader.prepare()
    stores.loader.record_all_pending()
    schema, rows = all_rows(stores)
    stores.loader.replace_all(pa.RecordBatchReader.from_batches(schema, rows))
    left_out = quarantined(stores)
    stores.loader.mark_loaded({b: 0 for b in stores.ledger.days("raw") if b not in left_out})
    stores.cleaned.record_applied(Applied(SWITCHED, number))
    for layer in ("cleaned", "quarantine"):
        stores.stores.lake.staged(layer, stores.declared, number).remove()
