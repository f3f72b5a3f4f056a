"""Dagster's webserver behind our gate, and `dagster dev` that starts it: two commands.

`python -m social_assets.operate.ui.webserver ARGUMENTS` takes the arguments of `dagster-webserver`,
also for a production installation; `... ui_webserver dev ARGUMENTS` those of `dagster dev`. This is
the one module that reaches into Dagster's own for it: Dagster has no setting for either. Where
Dagster has changed, nothing is served instead of a UI without the gate.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from resources.settings.home import Home
from social_assets.operate.ui.gate import UiGate
from social_assets.operate.ui.token import HOSTS, ui_token

MODULE = "social_assets.operate.ui.webserver"
_PLAIN = "dagster_webserver"


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
    from dagster._cli import dev

    start: Any = vars(dev)["open_ipc_subprocess"]
    is_gated = False

    def gated(command: Sequence[str], **options: Any) -> Any:
        nonlocal is_gated
        if list(command[1:3]) == ["-m", _PLAIN]:
            is_gated = True
            command = [command[0], "-m", MODULE, *command[3:]]
        elif not is_gated:
            raise GateError(f"dagster dev starts {list(command[:3])} before its webserver")
        return start(command, **options)

    vars(dev)["open_ipc_subprocess"] = gated
    # Dagster advises its other command, which starts the webserver without our gate.
    warnings.filterwarnings("ignore", "Function `dev_command` is superseded")
    dev.dev_command.main(args=list(arguments), prog_name="dagster dev")


if __name__ == "__main__":
    main(sys.argv[1:])
