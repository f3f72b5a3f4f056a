"""`social-assets`: the command line. Thin: parses, calls a function of `operate`, prints.

Exit codes: 0 done, 1 it failed, 2 the command was wrong. An error is one line on standard error
that names the thing, the place and the remedy.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resources.environments import EnvironmentSettingsError
from resources.home import ENVIRONMENT_VARIABLE, Home, HomeInsideCheckoutError
from resources.logs import LogFormatError, configure_logs, is_json
from social_assets.operate.alert_commands import alerts
from social_assets.operate.doctor_command import doctor
from social_assets.operate.quarantine_commands import dead_letters, gaps, replay
from social_assets.operate.recsys_commands import recsys
from social_assets.operate.terminal import Day, out, print_rows, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_assets.operate.status import StreamStatus


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder of all state; default ${ENVIRONMENT_VARIABLE}, else ~/.social-assets.",
)
@click.pass_context
def cli(context: click.Context, home: Path | None) -> None:
    """Social-media data assets: files in, recommendations out, one Dagster graph."""
    try:
        context.obj = Home(home) if home else Home.from_environment()
        os.environ[ENVIRONMENT_VARIABLE] = str(context.obj.path)
        # People at a terminal see progress; machines that read JSON get every hop.
        configure_logs(logging.INFO if is_json() else logging.WARNING)
    except (HomeInsideCheckoutError, EnvironmentSettingsError, LogFormatError) as error:
        raise click.UsageError(str(error)) from error


@cli.command()
@click.option("--events", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--days", type=click.IntRange(min=4), default=14, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.pass_obj
def demo(home: Home, events: int, days: int, seed: int) -> None:
    """Generate sample files, build the whole graph from them, and show what came out."""
    from social_assets.operate.demo import run_demo

    run_demo(home, out, events=events, days=days, seed=seed)


@cli.command()
@click.argument("stream")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--date", "on", type=Day(), help="Date of records that carry none; default today.")
@click.pass_obj
def load(home: Home, stream: str, files: tuple[Path, ...], on: date | None) -> None:
    """Load FILES into STREAM, through to the rollups. The same file again changes nothing."""
    from social_assets.contracts.registry import contract
    from social_assets.operate.runs import load_files
    from social_assets.operate.status import stream_status

    contract(stream)
    try:
        load_files(home, stream, files, on, progress)
    finally:
        _print_streams([stream_status(stream)], "table")


@cli.command()
@click.argument("assets", nargs=-1)
@click.option("--from", "first", type=Day(), help="First day; default the first with records.")
@click.option("--to", "last", type=Day(), help="Last day; default the last with records.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def backfill(
    home: Home,
    assets: tuple[str, ...],
    *,
    first: date | None,
    last: date | None,
    is_dry: bool,
    form: str,
) -> None:
    """Make days anew from raw: all layers, or only ASSETS such as star/fact_engagement.

    Without --from or --to, the days that have records; each unbroken range of them is one run.
    Killed, the same command again completes it.
    """
    from social_assets.operate.backfill_plan import plan_backfill, plan_rows
    from social_assets.operate.runs import rebuild_days

    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    plan = plan_backfill(home, first, last, assets)
    if is_dry:
        print_rows(*plan_rows(plan), form)
        if form == "table":
            runs = ", ".join(f"{begin} to {until}" for begin, until in plan.runs)
            out.print(f"{len(plan.runs)} runs ({runs}), {plan.partitions} partitions")
        return
    for begin, until in plan.runs:
        report = rebuild_days(home, begin, until, assets, progress)
        out.print(f"{begin} to {until}: {report}")


@cli.command()
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def sql(query: str, form: str) -> None:
    """Run QUERY in the warehouse."""
    from social_assets.operate.query import run_query

    names, rows = run_query(query)
    print_rows(names, rows, form)


@cli.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def streams(form: str) -> None:
    """What contracts exist, and their columns."""
    from social_assets.contracts.registry import contracts

    rows = [
        (
            c.name,
            column.name,
            column.type,
            ", ".join(str(k.error) for k in column.checks),
            "key" if column.name in c.key else ("required" if column.name in c.required else ""),
            column.description,
        )
        for c in contracts()
        for column in c.columns.values()
    ]
    print_rows(("stream", "column", "type", "rules", "role", "meaning"), rows, form)


@cli.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def status(home: Home, form: str) -> None:
    """Rows by layer, partitions, and the latest verdict of every check."""
    from social_assets.operate.status import check_statuses, stream_statuses, table_statuses

    _print_streams(stream_statuses(), form)
    tables = [(t.table, t.rows, t.days, t.size_bytes) for t in table_statuses()]
    print_rows(("table", "rows", "partitions", "bytes"), tables, form)
    checks = [(c.asset, c.name, c.verdict) for c in check_statuses(home)]
    troubled = checks if form == "json" else [c for c in checks if c[2] in ("warned", "failed")]
    print_rows(("asset", "check", "verdict"), troubled, form)
    if form == "table":
        passed = sum(c[2] == "passed" for c in checks)
        never = sum(c[2] == "never run" for c in checks)
        out.print(f"{passed} of {len(checks)} checks passed, {never} never run")


@cli.command()
@click.option("--port", type=int, default=3000, show_default=True)
@click.pass_obj
def dev(home: Home, port: int) -> None:
    """Open the Dagster UI (webserver, daemon, embedded ClickHouse) on loopback."""
    from social_assets.operate.dev import serve_ui

    serve_ui(home, port)


@cli.command("demo-live")
@click.option("--rate", type=click.FloatRange(1, 5000), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="Default: until Ctrl-C.")
@click.option("--port", type=int, default=3000, show_default=True)
@click.option("--open/--no-open", "is_opened", default=True, help="Open the UI in a browser.")
@click.pass_obj
def demo_live(home: Home, rate: float, seconds: float | None, port: int, is_opened: bool) -> None:
    """Watch live records, RATE a second, flow from a broker to the rollups.

    The broker lives in this process and keeps nothing.
    """
    from social_assets.operate.demo_live import LiveOptions, run_demo_live

    run_demo_live(home, out, LiveOptions(rate, seconds, port, is_opened))


@cli.command()
@click.pass_obj
def deploy(home: Home) -> None:
    """Make or update the warehouse's tables and views. Loads and backfills do so by themselves."""
    from resources.clickhouse import ClickHouseResource
    from social_assets.defs.warehouse_deployment import deploy_warehouse

    changed = deploy_warehouse(ClickHouseResource().endpoint(), home)
    out.print("deployed" if changed else "nothing to do")


@cli.command("serve-clickhouse")
@click.option("--port", type=int, help="Default: a free one.")
@click.pass_obj
def serve_clickhouse(home: Home, port: int | None) -> None:
    """Serve the home's embedded ClickHouse in the foreground."""
    from resources.embedded_clickhouse.engine import DataFolderError
    from resources.embedded_clickhouse.files import USER, ServerFiles
    from resources.embedded_clickhouse.lifecycle import EmbeddedServerError
    from resources.embedded_clickhouse.options import PORT, OptionError
    from resources.embedded_clickhouse.server import AlreadyRunningError, serve
    from resources.embedded_clickhouse.version_file import ForeignVersionError

    def announce() -> None:
        files = ServerFiles(home)
        state = files.read_state()
        where = "" if state is None else f" at {state.url}"
        click.echo(
            f"ClickHouse listens{where}, user {USER}, password in {files.password_file}; "
            "Ctrl-C or `social-assets stop` ends it"
        )

    if port is not None:
        os.environ[PORT] = str(port)
    try:
        serve(home, announce=announce)
    except (AlreadyRunningError, DataFolderError, ForeignVersionError, OptionError) as error:
        raise EmbeddedServerError(str(error)) from error


@cli.command()
@click.pass_obj
def stop(home: Home) -> None:
    """Stop the home's embedded ClickHouse."""
    from resources.embedded_clickhouse.lifecycle import stop as stop_server

    out.print("stopped" if stop_server(home) else "was not running")


@cli.group()
def kafka() -> None:
    """The home's own Kafka broker: one Apache Kafka node on loopback. Needs Java and Maven."""


@kafka.command("start")
@click.pass_obj
def kafka_start(home: Home) -> None:
    """Start it unless it runs. This home finds it by itself; others take the variable shown."""
    from resources.kafka_broker import start
    from resources.kafka_settings import BOOTSTRAP_SERVERS

    click.echo(f"export {BOOTSTRAP_SERVERS}={start(home)}")


@kafka.command("stop")
@click.pass_obj
def kafka_stop(home: Home) -> None:
    """Stop it. Its topics stay."""
    from resources.kafka_broker import stop as stop_broker

    out.print("stopped Kafka" if stop_broker(home) else "Kafka was not running")


cli.add_command(alerts)
cli.add_command(doctor)
for command in (recsys, dead_letters, replay, gaps):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: turns the errors that a user can mend into one line."""
    try:
        cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except _mendable() as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, LookupError) else 1)


def _mendable() -> tuple[type[Exception], ...]:
    """Errors whose text names the thing, the place and the remedy; others keep their trace."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from resources.clickhouse import ClickHouseAddressError, ClickHouseUnreachableError
    from resources.embedded_clickhouse.lifecycle import EmbeddedServerError
    from resources.kafka_admin import KafkaUnreachableError
    from resources.kafka_broker import KafkaBrokerError
    from resources.kafka_settings import KafkaSettingsError
    from social_assets.alerts.channels import AlertUrlError
    from social_assets.contracts.registry import UnknownStreamError
    from social_assets.defs.dbt_project import DbtError
    from social_assets.operate.backfill_plan import NoDaysError, NoSuchAssetError
    from social_assets.operate.failures import RunFailedError
    from social_assets.sources.records import FileError

    return (
        AlertUrlError,
        ClickHouseAddressError,
        ClickHouseError,
        ClickHouseUnreachableError,
        DbtError,
        EmbeddedServerError,
        EnvironmentSettingsError,
        FileError,
        KafkaBrokerError,
        KafkaSettingsError,
        KafkaUnreachableError,
        NoDaysError,
        NoSuchAssetError,
        RunFailedError,
        UnknownStreamError,
    )


def _print_streams(statuses: Sequence[StreamStatus], form: str) -> None:
    names = (
        "stream",
        "days",
        "first",
        "last",
        "raw",
        "cleaned",
        "duplicates",
        "rejected",
        "warehouse",
        "conserved",
    )
    rows = [
        (
            s.stream,
            s.days,
            s.first_day,
            s.last_day,
            s.raw,
            s.cleaned,
            s.duplicates,
            s.rejected,
            s.warehouse,
            "yes" if s.is_conserved else "NO",
        )
        for s in statuses
    ]
    print_rows(names, rows, form)
