"""Finds the first of the accepted records of a key and event date, in the order of landing.

Belongs here: the order and the anti-joins. The step decides which table has the earlier rows.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from social_assets.contracts.contract import Contract

POSITION = ("batch_id", "partition", "offset")
"""Identifies a record: the batch that brought it, and its position in the batch."""
LANDING_ORDER = ("ingested_at", *POSITION)


def pending(records: ir.Table, done: ir.Table) -> ir.Table:
    """The records whose position is not in `done`."""
    return records.anti_join(done, list(POSITION))


def duplicates(accepted: ir.Table, contract: Contract, landed: ir.Table | None) -> ir.Table:
    """The positions of accepted records that are not the first of their key on their event date.

    `landed` are keys and event dates of rows that landed before all of these. Only the few keys
    that occur more than once are sorted.
    """
    identity = ["event_date", *contract.key]
    keyed = accepted.select(*LANDING_ORDER, *identity)
    repeated = keyed.group_by(identity).having(keyed.count() > 1).agg(times=keyed.count())
    window = ibis.window(group_by=identity, order_by=list(LANDING_ORDER))
    contested = keyed.semi_join(repeated, identity)
    ranked = contested.mutate(rank=ibis.row_number().over(window))
    later = ranked.filter(ranked.rank > 0).select(*POSITION)
    if landed is None:
        return later
    return later.union(keyed.semi_join(landed, identity).select(*POSITION), distinct=True)


def without(accepted: ir.Table, positions: ir.Table) -> ir.Table:
    """The accepted records except those at the given positions."""
    return accepted.anti_join(positions, list(POSITION))
