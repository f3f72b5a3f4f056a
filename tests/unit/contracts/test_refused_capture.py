"""A contract of the kind *changes* that cannot work is refused at import."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Retention, RowChange
from social_assets.contracts.refusals.refuse_columns import RefusedError


class Order(RowChange):
    """Changes of orders."""

    order_id: int = pa.Field()
    at: datetime = pa.Field(nullable=True)


class NotNullTime(RowChange):
    """A time that a delete lacks."""

    order_id: int = pa.Field()
    at: datetime = pa.Field()


class NoChange(pa.DataFrameModel):
    """A model of something else."""

    order_id: int = pa.Field()
    change_op: str = pa.Field()
    change_position: str = pa.Field()
    changed_at: datetime = pa.Field()


def declared(**options: Any) -> Contract:
    given = {"model": Order, "table": "public.orders", "primary_key": ("order_id",)} | options
    return Contract.of_changes("orders", owner="team:a", **given)


def test_a_contract_of_changes_has_the_key_and_topic_that_the_connector_writes() -> None:
    contract = declared()
    assert contract.key == ("order_id", "change_position")
    assert contract.kafka_topic == "orders.public.orders"
    assert contract.capture is not None
    assert contract.capture.slot_of(contract.name) == "social_assets_orders"
    assert len(contract.capture.slot_of("o" * 80)) == 63


def test_texts_of_a_table_are_stored_as_they_are() -> None:
    assert declared().columns["change_op"].verbatim
    assert not declared().columns["order_id"].verbatim


@pytest.mark.parametrize(
    ("options", "reason", "remedy"),
    [
        ({"model": NoChange}, "no columns of a change", "class NoChange(RowChange)"),
        ({"table": "orders"}, "table is 'orders'", "public.orders"),
        ({"slot": "My-Slot"}, "replication slot", "small letters"),
        ({"url_variable": "SHOP_URL"}, "is 'SHOP_URL'", "SOCIAL_ASSETS_CAPTURE_URL__SHOP"),
        ({"primary_key": ()}, "the key is", "primary_key"),
        ({"model": NotNullTime}, "a delete has no value", "nullable=True"),
        ({"retention": Retention(cleaned_days=30)}, "cleaned_days", "remove it"),
        ({"time_of_day": "at"}, "", ""),
    ],
)
def test_a_contract_of_changes_that_cannot_work_is_refused(
    options: dict[str, Any], reason: str, remedy: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        declared(**options)
    assert reason in refused.value.reason
    assert remedy in refused.value.remedy


def test_capture_alone_makes_no_stream_of_changes() -> None:
    with pytest.raises(RefusedError, match="of_changes"):
        Contract(
            name="orders",
            model=Order,
            key=("order_id", "change_position"),
            formats=("ndjson",),
            owner="team:a",
            capture=declared().capture,
        )
