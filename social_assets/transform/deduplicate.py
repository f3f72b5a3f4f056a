"""Says which of the accepted records came first: the landing order within key and event date.

Here belongs the order and the anti-joins; which table the earlier rows come from is the hop's.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from social_assets.contracts.contract import Contract

POSITION = ("batch_id", "partition", "offset")
"""What identifies a record: the load that brought it, and where it stood in it."""
LANDING_ORDER = ("ingested_at", *POSITION)


def unsettled(records: ir.Table, settled: ir.Table) -> ir.Table:
    """The records whose position is not among the settled ones."""
    return records.anti_join(settled, list(POSITION))


def duplicates(accepted: ir.Table, contract: Contract, landed: ir.Table | None) -> ir.Table:
    """The positions of accepted records that are not the first of their key on their event date.

    `landed` are rows with key and event date that came before all of these. Only keys that occur
    more than once are put in order: they are few.
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
