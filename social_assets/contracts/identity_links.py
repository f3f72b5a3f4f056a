"""Declared links between two identities of one person: one row for a link.

Belongs here: what a link has. Which identities are one person is computed from all links
(`transform.identity`).
"""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Contract, Freshness
from social_assets.contracts.vocabulary import PLATFORM

_UNKNOWN = ["Unknown"]


class IdentityLink(pa.DataFrameModel):
    """A declaration that two identities are one person, such as a login with another account."""

    link_id: str = pa.Field(description="Identity of the link")
    linked_at: datetime = pa.Field(description="When it was declared, UTC")
    platform: str = pa.Field(
        metadata={"standardize": PLATFORM},
        notin=_UNKNOWN,
        description="The platform of the one identity",
    )
    user_id: str = pa.Field(notin=_UNKNOWN, description="Its id there, of a user or an account")
    linked_platform: str = pa.Field(
        metadata={"standardize": PLATFORM},
        notin=_UNKNOWN,
        description="The platform of the other identity",
    )
    linked_user_id: str = pa.Field(
        notin=_UNKNOWN, description="Its id there, of a user or an account"
    )
    declared_by: str = pa.Field(
        metadata={"categorical": True}, description="What declares it: a login, a profile"
    )


CONTRACT = Contract(
    name="identity_links",
    model=IdentityLink,
    key=("link_id",),
    event_time="linked_at",
    critical=("platform", "user_id", "linked_platform", "linked_user_id"),
    persons=("user_id", "linked_user_id"),
    formats=("ndjson", "csv"),
    owner="team:engagement",
    # They come when someone declares one, and not at all where nobody does.
    freshness=Freshness(timedelta(days=30), timedelta(days=90), may_be_empty=True),
)
