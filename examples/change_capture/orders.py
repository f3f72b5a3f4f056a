"""Orders of a shop: the changes of a table in the shop's own PostgreSQL."""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.contract import Contract, RowChange


class Order(RowChange):
    """Changes of the table public.orders."""

    order_id: int = pa.Field(metadata={"source": "id"}, description="The order")
    region: str = pa.Field(description="Where it was placed")
    customer_id: str = pa.Field(nullable=True, description="Who placed it")
    status: str = pa.Field(
        default="Unknown", metadata={"categorical": True}, description="open, paid, sent"
    )
    amount: float = pa.Field(nullable=True, ge=0, description="Price, euros")
    placed_at: datetime = pa.Field(nullable=True, description="When it was placed, UTC")
    is_gift: bool = pa.Field(nullable=True, description="Whether it is wrapped")
    tags: list[str] = pa.Field(nullable=True, description="Words of the shop")
    note: str = pa.Field(nullable=True, description="Text of any length")


CONTRACT = Contract.of_changes(
    "orders",
    model=Order,
    table="public.orders",
    primary_key=("order_id", "region"),
    owner="team:shop",
)
