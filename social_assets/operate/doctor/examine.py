"""Examines an installation: every setting, version, disk and service.

Belongs here: the examination as a whole: what is examined, at the same time, within a time limit.
The single examinations are in `doctor.settings`, `doctor.machine`, `doctor.services`,
`doctor.object_stores` and `doctor.control`. They start nothing, and write only a probe file in the
home.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue

from resources.settings.home import Home
from resources.settings.variables import hidden
from social_assets.operate.doctor import control as doctor_control
from social_assets.operate.doctor import machine as doctor_machine
from social_assets.operate.doctor import object_stores as doctor_stores
from social_assets.operate.doctor import services as doctor_services
from social_assets.operate.doctor import settings as doctor_settings
from social_assets.operate.doctor.diagnostic import Diagnostic, error

SECONDS = 4.0
"""The time limit for machine and services together; no answer within it counts as none. It grows
with the load of the machine."""

_IMPORTED = ("dagster", "deltalake", "clickhouse_connect", "kafka.admin")
"""Modules that take seconds of CPU to import: imported before, so that the limit is for
services."""

Look = Callable[[Home], Iterable[Diagnostic]]
Looks = Sequence[tuple[str, Look]]

SETTINGS: Looks = (
    ("environment", doctor_settings.environment),
    ("contracts", doctor_settings.contracts),
    ("dagster.yaml", doctor_settings.dagster_profile),
    ("alerts", doctor_settings.alerts),
)
MACHINE_AND_SERVICES: Looks = (
    ("python", doctor_machine.python),
    ("packages", doctor_machine.packages),
    ("home", doctor_machine.home_folder),
    ("disk", doctor_machine.disk),
    ("memory", doctor_machine.memory),
    ("clock", doctor_machine.clock),
    ("java", doctor_machine.java),
    ("lake", doctor_services.lake),
    ("models", doctor_stores.models),
    ("landing", doctor_stores.landing),
    (doctor_control.SUBJECT, doctor_control.control),
    ("ClickHouse", doctor_services.clickhouse),
    ("Kafka", doctor_services.kafka),
    ("Dagster", doctor_services.dagster),
)


def examine(home: Home) -> list[Diagnostic]:
    """The diagnostics of all looks, in order; within seconds even if services do not answer."""
    settings = [
        diagnostic for subject, look in SETTINGS for diagnostic in _found(subject, look, home)
    ]
    for name in _IMPORTED:
        importlib.import_module(name)
    return settings + _at_once(home, MACHINE_AND_SERVICES)


def _at_once(home: Home, looks: Looks) -> list[Diagnostic]:
    answers: SimpleQueue[tuple[str, list[Diagnostic]]] = SimpleQueue()
    for subject, look in looks:
        # Daemon threads: one that hangs in a driver does not block the exit.
        threading.Thread(
            target=lambda s=subject, w=look: answers.put((s, _found(s, w, home))), daemon=True
        ).start()
    found: dict[str, list[Diagnostic]] = {}
    seconds = SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    deadline = time.monotonic() + seconds
    while len(found) < len(looks):
        try:
            subject, diagnostics = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        found[subject] = diagnostics
    silent = f"no answer within {seconds:.1f} s"
    remedy = "see whether it is up and this machine reaches it"
    return [
        diagnostic
        for subject, _ in looks
        for diagnostic in found.get(subject, [error(subject, silent, remedy)])
    ]


def _found(subject: str, look: Look, home: Home) -> list[Diagnostic]:
    try:
        return list(look(home))
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is what is wrong
        text = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
        return [error(subject, hidden(text)[:500], "mend what the message names")]
