"""A table of PostgreSQL is captured as it is and as it changes, and what can go wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import build_sensor_context

from resources.kafka_connect import worker
from sensors.failed_captures import failed_captures_sensors
from social_assets.contracts import registry
from social_assets.contracts.registry import EXTRA_CONTRACTS, contract
from social_assets.defs.ingestion.checks.slot_checks import slot_is_read
from social_assets.ingest.cdc.slot import examine_slot
from social_assets.ingest.cdc.source_database import SourceDatabaseError
from social_assets.operate.capture import (
    capture_statuses,
    deploy_capture,
    drop_capture,
    shown_config,
)
from tests.integration.kafka.cdc.captured_table import EXAMPLE, SLOT, CapturedTable, wait_until
from tests.postgres_server import PASSWORD

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

LONG = "repeat('long ', 2000)"


def test_rows_of_the_snapshot_and_every_kind_of_change_arrive(orders: CapturedTable) -> None:
    orders.execute(
        "INSERT INTO orders SELECT n, 'eu', 'c' || n, 'Open', n * 1.25, now(), n % 2 = 0,"
        f" ARRAY['a', 'b c'], {LONG} FROM generate_series(1, 50) n"
    )
    orders.deploy()
    orders.catch_up()
    assert orders.current() == orders.source()
    orders.execute(
        "UPDATE orders SET status = 'Paid' WHERE id < 10;"  # the note is TOASTed and unchanged
        "UPDATE orders SET note = ' blanks ' WHERE id = 11;"
        "UPDATE orders SET note = NULL, amount = NULL WHERE id = 12;"
        "UPDATE orders SET id = 100, region = 'us' WHERE id = 13;"
        "DELETE FROM orders WHERE id BETWEEN 20 AND 25;"
        "BEGIN; UPDATE orders SET note = 'x' WHERE id = 30; DELETE FROM orders WHERE id = 30;"
        "INSERT INTO orders (id, region) VALUES (30, 'eu'); COMMIT;"
        "BEGIN; DELETE FROM orders; ROLLBACK"
    )
    orders.execute("ALTER TABLE orders ADD extra text DEFAULT 'new', DROP customer_id")
    orders.execute("ALTER TABLE orders ADD customer_id text")
    orders.execute("UPDATE orders SET customer_id = 'again', extra = 'e'")
    orders.catch_up()
    assert len(orders.source()) > 40
    assert orders.current() == orders.source()
    orders.execute("TRUNCATE orders; INSERT INTO orders (id, region) VALUES (1, 'after')")
    orders.catch_up()
    assert [row[1] for row in orders.current()] == ["", "after"]
    _password_is_nowhere(orders)


def test_a_lost_slot_is_named_and_a_new_snapshot_is_the_way_back(orders: CapturedTable) -> None:
    orders.execute("INSERT INTO orders (id, region) SELECT n, 'eu' FROM generate_series(1, 9) n")
    orders.deploy()
    orders.catch_up()
    wait_until(lambda: (slot := orders.slot()) is not None and slot.is_active)
    check = slot_is_read(contract("orders"))
    assert check().passed
    worker.stop(orders.home)
    stopped = check()
    assert not stopped.passed
    assert "social-assets cdc start" in str(stopped.description)
    # Unseen: all rows go, and more is written than the database keeps for the slot.
    orders.execute("DELETE FROM orders")
    orders.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    orders.execute("SELECT pg_reload_conf()")
    for _ in range(4):
        orders.execute("SELECT pg_switch_wal(); CHECKPOINT")
        orders.execute("SELECT pg_logical_emit_message(false, 'other', repeat('x', 100000))")
    wait_until(lambda: (slot := orders.slot()) is not None and slot.is_lost)
    lost = check()
    assert not lost.passed
    assert "social-assets cdc deploy orders --snapshot" in str(lost.description)
    orders.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1GB'")
    orders.execute("SELECT pg_reload_conf()")
    orders.deploy(snapshot=True)
    orders.drain()
    wait_until(lambda: (slot := orders.slot()) is not None and slot.is_active)
    orders.drain()
    assert orders.current() == orders.source() == []
    assert examine_slot("orders", SLOT, orders.slot()).level == "fine"


def test_the_slot_goes_with_its_stream(
    orders: CapturedTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.deploy()
    assert drop_capture(orders.home, "orders")
    assert orders.slot() is None
    assert not drop_capture(orders.home, "orders")
    orders.deploy()
    assert orders.slot() is not None
    empty = tmp_path / "contracts"
    empty.mkdir()
    _use_contracts(monkeypatch, empty)
    (status,) = capture_statuses(orders.home)
    assert status.told == "it has no contract any more: social-assets cdc drop orders"
    assert _deployed(orders) == ["orders: dropped, since it has no contract any more"]
    _use_contracts(monkeypatch, EXAMPLE)
    assert orders.slot() is None


def test_a_stream_whose_contract_may_be_missing_by_mistake_keeps_its_slot(
    orders: CapturedTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.deploy()
    monkeypatch.delenv(EXTRA_CONTRACTS)
    registry.registered.cache_clear()
    (kept,) = _deployed(orders)
    assert kept.startswith("orders: kept without contract, as there is no stream of changes, and")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "orders.py").write_text("CONTRACT = Contrct()\n")
    _use_contracts(monkeypatch, tmp_path / "broken")
    (kept,) = _deployed(orders)
    assert "orders.py" in kept
    assert kept.endswith("to end it: social-assets cdc drop orders")
    _use_contracts(monkeypatch, EXAMPLE)
    assert orders.slot() is not None


def test_a_connector_that_gave_up_tries_again_by_the_sensor(orders: CapturedTable) -> None:
    orders.deploy()
    connect = worker.client(orders.home)
    connect.stop(SLOT)
    config = connect.config(SLOT) or {}
    connect.configure(SLOT, {**config, "publication.autocreate.mode": "disabled"})
    orders.execute(f"DROP PUBLICATION {SLOT}")
    connect.resume(SLOT)
    wait_until(lambda: (state := connect.state(SLOT)) is not None and state.is_failed)
    orders.execute(f"CREATE PUBLICATION {SLOT} FOR TABLE orders")
    (sensor,) = failed_captures_sensors()
    assert f"tried again: {SLOT}" in str(sensor(build_sensor_context()))
    wait_until(lambda: (state := connect.state(SLOT)) is not None and state.is_running)
    assert "no connector has failed" in str(sensor(build_sensor_context()))


def test_a_database_that_is_not_ready_is_refused_with_every_remedy(orders: CapturedTable) -> None:
    orders.execute("ALTER TABLE orders REPLICA IDENTITY DEFAULT")
    orders.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
    orders.execute("SELECT pg_reload_conf()")
    with pytest.raises(SourceDatabaseError) as refused:
        orders.deploy()
    assert "ALTER TABLE public.orders REPLICA IDENTITY FULL" in str(refused.value)
    assert "ALTER SYSTEM SET max_slot_wal_keep_size" in str(refused.value)
    assert orders.slot() is None
    assert not worker.is_running(orders.home)


def _use_contracts(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(EXTRA_CONTRACTS, str(folder))
    registry.registered.cache_clear()


def _deployed(orders: CapturedTable) -> list[str]:
    """What `cdc deploy` without a stream tells."""
    told: list[str] = []
    deploy_capture(orders.home, (), snapshot=False, told=told.append)
    return told


def _password_is_nowhere(orders: CapturedTable) -> None:
    """Not in the configuration, the worker's arguments, logs, files, or the topics of Connect."""
    assert PASSWORD not in str(shown_config("orders"))
    pid = worker.process_id(orders.home)
    assert PASSWORD not in Path(f"/proc/{pid}/cmdline").read_text()
    for folder in (orders.home.logs, orders.home.kafka_connect, orders.home.kafka / "data"):
        for path in folder.rglob("*"):
            if path.is_file() and "jars" not in path.parts:
                assert PASSWORD.encode() not in path.read_bytes(), path
