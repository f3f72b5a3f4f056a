"""Dagster's webserver behind our gate, and `dagster dev` that starts it: two commands.

`python -m social_assets.operate.ui.webserver ARGUMENTS` takes the arguments of `dagster-webserver`,
also for a production installation; `... dev ARGUMENTS` takes those of `dagster dev`. Only this
module uses private parts of Dagster for this, because Dagster has no setting for it. If Dagster has
changed, it serves nothing, rather than a UI without the gate.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resources.log_files.handler import begin_logs
from resources.settings.home import Home
from resources.web.token import HOSTS, ui_token
from social_assets.operate.ui.daemon import MODULE as DAEMON
from social_assets.operate.ui.gate import UiGate

if TYPE_CHECKING:
    from dagster import DagsterInstance

MODULE = "social_assets.operate.ui.webserver"
_PLAIN = "dagster_webserver"
_PLAIN_DAEMON = "dagster._daemon"


class GateError(RuntimeError):
    """Dagster starts its webserver in another way than this module knows."""


def main(arguments: Sequence[str]) -> None:
    """Run one of the two commands; what they and their children write is for this user alone."""
    os.umask(0o077)
    if arguments[:1] == ["dev"]:
        _dev(arguments[1:])
    else:
        _webserver(arguments)


def _webserver(arguments: Sequence[str]) -> None:
    from dagster_webserver import cli

    if not hasattr(cli, "create_app_from_workspace_process_context"):
        raise GateError("dagster_webserver.cli has no create_app_from_workspace_process_context")
    begin_logs("webserver", "WARNING")
    token = ui_token(Home.from_environment())
    names = [name.strip() for name in os.environ.get(HOSTS, "").split(",") if name.strip()]
    create = cli.create_app_from_workspace_process_context

    def gated(*args: Any, **options: Any) -> UiGate:
        return UiGate(create(*args, **options), token, names)

    cli.create_app_from_workspace_process_context = gated
    cli.dagster_webserver.main(
        args=list(arguments), prog_name=MODULE, auto_envvar_prefix="DAGSTER_WEBSERVER"
    )


def _dev(arguments: Sequence[str]) -> None:
    from dagster import DagsterInstance
    from dagster._cli import dev

    with DagsterInstance.get() as instance:
        begin_retries_here(instance)
    start: Any = vars(dev)["open_ipc_subprocess"]
    is_gated = False

    def gated(command: Sequence[str], **options: Any) -> Any:
        nonlocal is_gated
        if list(command[1:3]) == ["-m", _PLAIN]:
            is_gated = True
            command = [command[0], "-m", MODULE, *command[3:]]
        elif not is_gated:
            raise GateError(f"dagster dev starts {list(command[:3])} before its webserver")
        elif list(command[1:3]) == ["-m", _PLAIN_DAEMON]:
            command = [command[0], "-m", DAEMON, *command[3:]]
        return start(command, **options)

    vars(dev)["open_ipc_subprocess"] = gated
    # Dagster suggests its other command, which starts the webserver without our gate.
    warnings.filterwarnings("ignore", "Function `dev_command` is superseded")
    dev.dev_command.main(args=list(arguments), prog_name="dagster dev")


def begin_retries_here(instance: DagsterInstance) -> None:
    """Set a new home's position in the event log, from which failed runs are retried.

    The daemon would begin there by itself, after two warnings at its first start.
    """
    from dagster._daemon.auto_run_reexecution import event_log_consumer

    consumer = vars(event_log_consumer)
    keys = [consumer["_create_cursor_key"](each) for each in consumer["DAGSTER_EVENT_TYPES"]]
    storage = instance.daemon_cursor_storage
    missing = sorted({*keys} - storage.get_cursor_values({*keys}).keys())
    if missing:
        newest = instance.event_log_storage.get_maximum_record_id() or 0
        storage.set_cursor_values(dict.fromkeys(missing, str(newest)))


if __name__ == "__main__":
    main(sys.argv[1:])
