"""What Dagster writes to the console for a run whose config names no logger.

Belongs here: replacing Dagster's own default. A logger of `Definitions` is used only by a run whose
config names it. Every other run, such as one of the Materialize button, of a sensor or of an
automation condition, gets Dagster's default: each event from DEBUG on, in colors. No public setting
changes that alone: `python_log_level` of `dagster.yaml` would also keep log lines out of the UI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster import DagsterInstance, LoggerDefinition
from dagster._core.execution import context_creation_job, host_mode

from resources.dagster.run_console import run_console


def set_default_console() -> None:
    """Make runs of this process that name no logger use `run_console`."""
    for module in (context_creation_job, host_mode):
        module.__dict__[_NAME] = _default_loggers


_NAME = "default_system_loggers"
"""The function by which both modules ask for the default."""


def _default_loggers(
    _instance: DagsterInstance | None,
) -> Sequence[tuple[LoggerDefinition, Mapping[str, object]]]:
    console = run_console()
    defaults = console.config_field.default_value if console.config_field else {}
    return [(console, defaults)]
