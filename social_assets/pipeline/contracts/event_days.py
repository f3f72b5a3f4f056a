"""Whether each record in raw still belongs to its day under a changed contract.

Belongs here: the comparison, record by record. Raw is divided by event date, and a deployment
leaves raw as it is: a contract under which a record belongs to another day is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.pipeline.clean import raw_blocks
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.validate_block import EventDates


class ContractNotDeployableError(RuntimeError):
    """A change that a deployment can't make; names the stream, the change and the remedy."""


REMEDY = (
    "Nothing was changed. Take the change back; or declare the contract under another name, with "
    "the same topic in place of this one: its tables are made from the files, loaded again, and "
    "from the topic's beginning"
)


def check_days(stores: StreamStores, days: Sequence[date], without: Collection[str]) -> None:
    """Raise ContractNotDeployableError if a raw record of these days belongs to another day under
    the declared contract.

    A record counts if the two contracts differ about it: a record that only landed under another
    first date of the installation stays where it is. Leaves out the batches `without`.
    """
    with stores.engine.session() as session:
        declared = EventDates(session, stores.declared)
        deployed = EventDates(session, stores.contract)
        for block in raw_blocks(stores, days, without):
            after = declared.of(block)["event_date"]
            moves = pc.not_equal(after, block["event_date"])
            if not pc.any(moves).as_py():
                continue
            moves = pc.and_(moves, pc.not_equal(after, deployed.of(block)["event_date"]))
            moved = block.append_column("after", after).filter(moves)
            if moved.num_rows:
                raise ContractNotDeployableError(_told(stores, moved))


def _told(stores: StreamStores, moved: pa.Table) -> str:
    columns = ["origin", "partition", "offset", "event_date", "after"]
    first = moved.select(columns).slice(0, 1).to_pylist()[0]
    changes = "; ".join(str(each) for each in stores.in_force.changes if each.effect == "dates")
    return (
        f"{stores.name}: {changes}: {moved.num_rows} or more records in raw would belong to other "
        f"days, such as {first['origin']}, partition {first['partition']}, offset "
        f"{first['offset']}: {first['after']} in place of {first['event_date']}. A deployment "
        f"leaves raw divided into days as it is. {REMEDY}"
    )
