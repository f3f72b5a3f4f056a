"""Recognizes the records of persons who are forgotten, by the hash of the id in them.

Belongs here: the comparison, and the validator of a stream that rejects such records. The bytes of
a rejected record are in raw and quarantine until the next deletion (`erase_persons`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resources.settings.home import Home
from social_assets.contracts.column import DEFAULTS
from social_assets.contracts.contract import Contract
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate import FORGOTTEN, SEPARATOR
from social_assets.transform.validate_block import BlockValidator

PLATFORM = "platform"
"""The column with the platform of a person's id."""
UNKNOWN = str(DEFAULTS["string"])
"""The platform of records that name none."""


@dataclass(frozen=True)
class ForgottenRecords:
    """Which rows of a stream are of persons who are forgotten."""

    session: Session
    contract: Contract
    persons: Collection[ForgottenPerson]
    salt: str

    def mask(self, rows: pa.Table) -> pa.BooleanArray:
        """One value a row of a table with the contract's columns: whether it is such a record."""
        found = pa.array(np.zeros(rows.num_rows, np.bool_))
        for name in self.contract.persons:
            ids = rows[name].combine_chunks()
            hashes = self._hashes(ids)
            for platform in {person.platform for person in self.persons}:
                known = pa.array([p.person_hash for p in self.persons if p.platform == platform])
                forgotten = hashes["id"].filter(pc.is_in(hashes["hash"], known))
                if not len(forgotten):
                    continue
                is_of = pc.is_in(ids, forgotten.combine_chunks())
                if platform != ANY_PLATFORM:
                    is_of = pc.and_(is_of, may_be_of(platform, rows))
                found = pc.or_(found, is_of)
        return found

    def refuse(self, answer: pa.Table) -> pa.Table:
        """Give the records of forgotten persons the reason FORGOTTEN, beside others."""
        mask = self.mask(answer)
        if not mask.true_count:
            return answer
        reasons = answer["reasons"].combine_chunks()
        added = pc.binary_join_element_wise(reasons, FORGOTTEN, SEPARATOR)
        told = pc.if_else(pc.equal(reasons, ""), FORGOTTEN, added)
        index = answer.column_names.index("reasons")
        return answer.set_column(index, "reasons", pc.if_else(mask, told, reasons))

    def _hashes(self, ids: pa.Array) -> pa.Table:
        """The different ids, each with its hash (`control.privacy.person.hash_of`)."""
        different = ids.unique().drop_null()
        block = pa.table({"id": different, "salt": pa.repeat(self.salt, len(different))})
        query = f"SELECT id, sha256(salt || ':' || id) AS hash FROM {Session.BLOCK}"
        return self.session.query(query, block)


def may_be_of(platform: str, rows: pa.Table) -> pa.BooleanArray:
    """Which rows can be of a platform: those that name it or none."""
    if PLATFORM not in rows.column_names:
        return pa.array(np.ones(rows.num_rows, np.bool_))
    known = rows[PLATFORM].combine_chunks()
    return pc.or_(pc.is_in(known, pa.array([platform, UNKNOWN])), pc.is_null(known))


def forgotten_records(
    stores: StreamStores, session: Session, contract: Contract | None = None
) -> ForgottenRecords | None:
    """The comparison for a stream; None if nobody is forgotten, or no column names a person.

    Raises MissingSaltError.
    """
    contract = contract or stores.contract
    if not contract.persons:
        return None
    persons = stores.stores.lake.forgotten_persons().all()
    if not persons:
        return None
    return ForgottenRecords(session, contract, persons, read_salt())


def stream_validator(stores: StreamStores, session: Session) -> BlockValidator:
    """The validator of a stream: its contract's rules, and no record of a forgotten person."""
    forgotten = forgotten_records(stores, session)
    refuse = None if forgotten is None else forgotten.refuse
    return BlockValidator(session, stores.contract, refuse)


def read_salt() -> str:
    """The salt of the hashes. Raises MissingSaltError."""
    # SQLAlchemy takes a third of a second to import, and nobody may be forgotten.
    from social_assets.control.privacy.deletion_requests import opened_requests

    with opened_requests(Home.from_environment()) as requests:
        return requests.salt()
