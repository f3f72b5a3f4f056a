"""Direct messages: one row for each message."""

import pandera.ibis as pa

from social_assets.contracts.contract import Contract


class DirectMessage(pa.DataFrameModel):
    """One message from one user to another."""

    message_id: str = pa.Field(description="Id of the message")
    sender_id: str = pa.Field(description="User who wrote the message")
    recipient_id: str = pa.Field(description="User who received the message")
    length: int = pa.Field(ge=0, description="Number of characters")


CONTRACT = Contract(
    name="direct_messages",
    model=DirectMessage,
    key=("message_id",),
    formats=("ndjson", "csv"),
    owner="team:chat",
    fail_above=0.5,
)
