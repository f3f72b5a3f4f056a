"""Change capture for operators: deploy, look at and drop the connectors of streams of changes.

Belongs here: the order of steps in which a connector, its slot and its topic are made and removed.
Each may be repeated after it was killed. Debezium's settings belong to `ingest.cdc.connector`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from resources.kafka.resource import KafkaResource
from resources.kafka_connect import worker
from resources.kafka_connect.client import ConnectClient, ConnectError, ConnectorState
from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import EXTRA_CONTRACTS, broken_contracts, contracts
from social_assets.ingest.cdc.connector import (
    STREAM,
    URL_VARIABLE_OF,
    connector_config,
    password_variable,
)
from social_assets.ingest.cdc.marker import send_marker
from social_assets.ingest.cdc.slot import SlotState, examine_slot
from social_assets.ingest.cdc.source_database import (
    SourceDatabase,
    SourceDatabaseError,
    address_of,
    source_address,
    source_database,
)

_BEGIN_SECONDS = 90.0
_POLL_SECONDS = 0.2
_LONGEST_REASON = 500


class NoCaptureError(LookupError):
    """A stream is not one of changes, or there is none."""


@dataclass(frozen=True)
class CaptureStatus:
    """One stream of changes: its connector, its slot, and what to do."""

    stream: str
    connector: str
    slot: SlotState | None
    told: str


def captured_streams(names: Sequence[str] = ()) -> list[Contract]:
    """The contracts of these streams of changes, or of all. Raises NoCaptureError."""
    found = {each.name: each for each in contracts() if each.capture is not None}
    missing = [name for name in names if name not in found]
    if missing:
        known = ", ".join(found) or "none: declare one by Contract.of_changes(...)"
        raise NoCaptureError(f"no stream of changes {', '.join(missing)}; there are {known}")
    return [found[name] for name in names] if names else list(found.values())


def start_worker(home: Home) -> ConnectClient:
    """Start the home's Kafka Connect, with the passwords of all captured databases."""
    passwords = {}
    for contract in captured_streams():
        variable = contract.capture.url_variable if contract.capture else ""
        address = source_address(variable)
        if address is not None:
            passwords[password_variable(variable)] = address.password
    return worker.start(home, passwords)


def deploy_capture(
    home: Home, names: Sequence[str], *, snapshot: bool, told: Callable[[str], None]
) -> None:
    """Have the changes of these streams captured, or of all; `snapshot` begins them anew.

    Without names, connectors whose contract is gone are dropped, with their slots, unless contracts
    seem to be missing by mistake. Raises SourceDatabaseError, before anything is changed, if a
    database is not ready.
    """
    chosen = captured_streams(names)
    for contract in chosen:
        _require_ready(contract)
    asked = start_worker(home)
    for contract in chosen:
        _deploy(asked, contract, snapshot=snapshot)
        told(f"{contract.name}: captured")
    if not names:
        kept = _why_contracts_may_be_missing()
        for stream in _without_contract(asked):
            if kept:
                told(f"{stream}: kept without contract, as {kept}; to end it: {_drop(stream)}")
            else:
                drop_capture(home, stream)
                told(f"{stream}: dropped, since it has no contract any more")


def drop_capture(home: Home, stream: str) -> bool:
    """Remove connector, slot and publication of a stream; its topic and its rows stay.

    The slot goes first, so that what is left after a kill is found again. False if there was
    nothing.
    """
    asked = start_worker(home)
    name, variable = _captured_as(asked, stream)
    address = source_address(variable)
    if address is None:
        raise SourceDatabaseError(
            f"the slot {name} cannot be dropped, and keeps the log of its database: set {variable} "
            "to the database's URL, and try again"
        )
    is_registered = asked.config(name) is not None
    if is_registered:
        asked.stop(name)
    with source_database(address) as database:
        had_slot = _drop_slot(database, name)
    if is_registered:
        asked.forget_offsets(name)
        asked.delete(name)
    return is_registered or had_slot


def capture_statuses(home: Home, names: Sequence[str] = ()) -> Iterator[CaptureStatus]:
    """How each stream of changes is captured. Raises SourceDatabaseError if a database is away."""
    asked = worker.client(home) if worker.is_running(home) else None
    for contract in captured_streams(names):
        name = _slot_of(contract)
        state = None if asked is None else asked.state(name)
        with source_database(address_of(contract)) as database:
            slot = database.slot(name)
        yield CaptureStatus(
            contract.name,
            "worker does not run" if asked is None else _shown(state),
            slot,
            _told(contract.name, name, state, slot),
        )
    for stream in () if asked is None or names else _without_contract(asked):
        told = f"it has no contract any more: {_drop(stream)}"
        yield CaptureStatus(stream, "registered", None, told)


def shown_config(stream: str) -> Mapping[str, str]:
    """The configuration of a stream's connector, for a Kafka Connect of one's own."""
    (contract,) = captured_streams([stream])
    return connector_config(contract, address_of(contract))


def _require_ready(contract: Contract) -> None:
    address = address_of(contract)
    with source_database(address) as database:
        found = database.hindrances(contract)
    if found:
        raise SourceDatabaseError(
            f"the database {address.database} at {address.host}:{address.port} is not ready for "
            f"the stream {contract.name}:\n  " + "\n  ".join(found)
        )


def _deploy(asked: ConnectClient, contract: Contract, *, snapshot: bool) -> None:
    name, address = _slot_of(contract), address_of(contract)
    config = connector_config(contract, address)
    _require_one_partition(contract)
    if asked.config(name) is None:
        asked.create_stopped(name, config)
    else:
        asked.configure(name, config)
    with source_database(address) as database:
        if snapshot:
            asked.stop(name)
            # Offsets first: whatever comes next after a kill, it is a new snapshot.
            asked.forget_offsets(name)
            _drop_slot(database, name)
        state = _state(asked, name)
        if state.connector == "STOPPED" and not asked.has_offsets(name):
            # Rows that landed before are not of this snapshot, even if it has no rows.
            send_marker(contract, database.message("snapshot"))
    asked.resume(name)
    if state.is_failed:
        asked.restart(name)
    _await_running(asked, contract.name, name)


def _require_one_partition(contract: Contract) -> None:
    kafka = KafkaResource()
    kafka.create_topic(contract.kafka_topic, partitions=1)
    there = kafka.offsets(contract.kafka_topic)
    if there is not None and len(there.end) > 1:
        raise ConnectError(
            f"the topic {contract.kafka_topic} has {len(there.end)} partitions; changes are in "
            "their order in a topic of one: delete it, or give the contract another `topic`"
        )


def _drop_slot(database: SourceDatabase, name: str) -> bool:
    """Drop a slot; its reader, which was stopped, may hold it for a moment yet."""
    deadline = time.monotonic() + _BEGIN_SECONDS
    while (state := database.slot(name)) and state.is_active and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return database.drop(name)


def _state(asked: ConnectClient, name: str) -> ConnectorState:
    """What a connector does, once the worker knows."""
    deadline = time.monotonic() + _BEGIN_SECONDS
    while (state := asked.state(name)) is None:
        if time.monotonic() > deadline:
            raise ConnectError(
                f"Kafka Connect has no state of the connector {name}, {_BEGIN_SECONDS:.0f} s after "
                "it was registered: see the log of the worker"
            )
        time.sleep(_POLL_SECONDS)
    return state


def _await_running(asked: ConnectClient, stream: str, name: str) -> None:
    deadline = time.monotonic() + _BEGIN_SECONDS
    while not (state := _state(asked, name)).is_running:
        if state.is_failed:
            raise ConnectError(f"the connector of {stream} failed: {_reason(state)}")
        if time.monotonic() > deadline:
            raise ConnectError(
                f"the connector of {stream} is {_shown(state)}, {_BEGIN_SECONDS:.0f} s after it "
                "was deployed: see the log of the worker"
            )
        time.sleep(_POLL_SECONDS)


def _captured_as(asked: ConnectClient, stream: str) -> tuple[str, str]:
    """The slot and the database's variable of a stream, by its contract, else its connector."""
    for contract in captured_streams():
        if contract.name == stream and contract.capture:
            return _slot_of(contract), contract.capture.url_variable
    for name in asked.connectors():
        config = asked.config(name) or {}
        if config.get(STREAM) == stream:
            return name, config[URL_VARIABLE_OF]
    raise NoCaptureError(f"there is neither a contract of changes nor a connector {stream}")


def _without_contract(asked: ConnectClient) -> list[str]:
    """The streams of our connectors that have no contract any more."""
    known = {contract.name for contract in captured_streams()}
    configs = [asked.config(name) or {} for name in asked.connectors()]
    streams = [config[STREAM] for config in configs if STREAM in config]
    return [stream for stream in streams if stream not in known]


def _why_contracts_may_be_missing() -> str:
    """Why a contract may be there although it is not known; empty if there is no reason."""
    if broken := broken_contracts():
        return f"a contract cannot be used ({broken[0]})"
    if not captured_streams() and EXTRA_CONTRACTS not in os.environ:
        return f"there is no stream of changes, and {EXTRA_CONTRACTS} is not set"
    return ""


def _drop(stream: str) -> str:
    return f"social-assets cdc drop {stream}"


def _slot_of(contract: Contract) -> str:
    return contract.capture.slot_of(contract.name) if contract.capture else ""


def _shown(state: ConnectorState | None) -> str:
    return "not deployed" if state is None else state.task or state.connector


def _told(stream: str, name: str, state: ConnectorState | None, slot: SlotState | None) -> str:
    found = examine_slot(stream, name, slot)
    is_the_slot = slot is None or slot.is_lost
    if state is not None and state.is_failed and not is_the_slot:
        return f"{_reason(state)}. To try again: social-assets cdc deploy {stream}"
    return found.text


def _reason(state: ConnectorState) -> str:
    """The innermost cause of a failure."""
    causes = [line for line in state.trace.splitlines() if line.startswith("Caused by: ")]
    first = causes[-1] if causes else next(iter(state.trace.splitlines()), "no reason is given")
    return first.removeprefix("Caused by: ")[:_LONGEST_REASON]
