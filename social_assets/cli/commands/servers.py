"""`social-assets up`, `serve-clickhouse`, `kafka` and `stop`: the servers of the home.

Belongs here: reading the options and printing.
"""

from __future__ import annotations

import os

import click

from resources.settings.home import Home
from social_assets.cli.home_use import is_installation, knows_home, makes_home
from social_assets.cli.printing.terminal import echo, out


@click.command(short_help="Run all servers, each restarted when it ends.")
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, show_default=True)
@click.option("--api-port", type=click.IntRange(1, 65_535), default=8080, show_default=True)
@click.option("--status", "is_asked", is_flag=True, help="Only print what runs; 1 if not all do.")
@makes_home
def up(home: Home, *, port: int, api_port: int, is_asked: bool) -> None:
    """Run the servers of an installation, and start each again when it ends.

    For a machine without containers: webserver, daemon, code servers, dashboards and API, shipper
    of logs, and the home's own ClickHouse and Kafka. `dev` restarts nothing.
    """
    from social_assets.operate.up.run import run_services, service_states

    if not is_asked:
        run_services(home, port, api_port, echo)
        return
    states = service_states(home)
    if not states:
        out.print(f"nothing runs for {home.path}: social-assets up")
        raise click.exceptions.Exit(1)
    for state in states:
        health = "ready" if state.is_ready else "not ready"
        again = f", restarted {state.restarts} times" if state.restarts else ""
        echo(f"{state.name:<12} {health}, process {state.pid or '-'}{again}")
    if not all(state.is_ready for state in states):
        raise click.exceptions.Exit(1)


@click.command("serve-clickhouse", short_help="Serve the embedded ClickHouse here.")
@click.option("--port", type=int, help="Default: a free one.")
@makes_home
def serve_clickhouse(home: Home, port: int | None) -> None:
    """Serve the home's embedded ClickHouse in the foreground."""
    from resources.embedded_clickhouse.files import USER, ServerFiles
    from resources.embedded_clickhouse.lifecycle import EmbeddedServerError
    from resources.embedded_clickhouse.options import PORT, OptionError
    from resources.embedded_clickhouse.query.engine import DataFolderError
    from resources.embedded_clickhouse.server import AlreadyRunningError, serve
    from resources.embedded_clickhouse.version_file import ForeignVersionError

    def announce() -> None:
        files = ServerFiles(home)
        state = files.read_state()
        where = "" if state is None else f" at {state.url}"
        echo(
            f"ClickHouse listens{where}, user {USER}, password in {files.password_file}; "
            "Ctrl-C or `social-assets stop` ends it"
        )

    if port is not None:
        os.environ[PORT] = str(port)
    try:
        serve(home, announce=announce)
    except (AlreadyRunningError, DataFolderError, ForeignVersionError, OptionError) as error:
        raise EmbeddedServerError(str(error)) from error


@click.command(short_help="Stop the embedded ClickHouse.")
@knows_home
def stop(home: Home) -> None:
    """Stop the home's embedded ClickHouse."""
    if not is_installation(home):
        out.print(f"was not running: no installation at {home.path}")
        return
    from resources.embedded_clickhouse.lifecycle import stop as stop_server

    out.print("stopped" if stop_server(home) else "was not running")


@click.group(short_help="Start or stop the home's Kafka broker.")
def kafka() -> None:
    """The home's own Kafka broker: one Apache Kafka node on loopback. Needs Java and Maven."""


@kafka.command("start")
@makes_home
def kafka_start(home: Home) -> None:
    """Start it unless it runs. This home finds it by itself; others take the variable shown."""
    from resources.kafka.broker import start
    from resources.kafka.settings import BOOTSTRAP_SERVERS

    echo(f"export {BOOTSTRAP_SERVERS}={start(home)}")


@kafka.command("stop")
@knows_home
def kafka_stop(home: Home) -> None:
    """Stop it. Its topics stay."""
    if not is_installation(home):
        out.print(f"Kafka was not running: no installation at {home.path}")
        return
    from resources.kafka.broker import stop as stop_broker

    out.print("stopped Kafka" if stop_broker(home) else "Kafka was not running")
