"""`social-assets`: the command line. Each command parses, calls a function of `operate`, prints.

Exit codes and error lines are in `cli.errors`. Each command declares by a decorator of
`cli.home_use` whether it reads or creates an installation.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resources.log_files.handler import begin_logs
from resources.machine.home_machine import take_over_home
from resources.settings.environments import EnvironmentSettingsError
from resources.settings.home import ENVIRONMENT_VARIABLE, Home, HomePathError
from resources.settings.logs import LogSettingError, is_json
from social_assets.cli.commands.access.keys import keys
from social_assets.cli.commands.access.secrets import secrets
from social_assets.cli.commands.capture import cdc
from social_assets.cli.commands.collection.accounts import accounts, track, untrack
from social_assets.cli.commands.collection.collect import collect
from social_assets.cli.commands.collection.credentials import credentials
from social_assets.cli.commands.collection.media import media
from social_assets.cli.commands.collection.webhooks import webhooks
from social_assets.cli.commands.contracts.contract import contract
from social_assets.cli.commands.contracts.deploy import deploy, plan
from social_assets.cli.commands.disaster.backups import backup, backups, restore
from social_assets.cli.commands.disaster.rebuild_warehouse import rebuild_warehouse
from social_assets.cli.commands.doctor import doctor
from social_assets.cli.commands.experiments.experiments import experiments
from social_assets.cli.commands.failed_files import failed_files
from social_assets.cli.commands.load import load
from social_assets.cli.commands.metrics import metrics, query
from social_assets.cli.commands.models.features import features
from social_assets.cli.commands.models.forecast import forecast
from social_assets.cli.commands.models.recsys import recsys
from social_assets.cli.commands.models.text import text
from social_assets.cli.commands.notebook import notebook
from social_assets.cli.commands.privacy.forget import deletions, export_person, forget
from social_assets.cli.commands.quarantine import gaps, quarantine, replay
from social_assets.cli.commands.reports import report
from social_assets.cli.commands.search import search
from social_assets.cli.commands.serve import serve
from social_assets.cli.commands.servers import kafka, serve_clickhouse, stop, up
from social_assets.cli.commands.sql import sql
from social_assets.cli.commands.streams import streams
from social_assets.cli.commands.unload import unload
from social_assets.cli.commands.watching.alerts import alerts
from social_assets.cli.commands.watching.logs import logs, ship_logs
from social_assets.cli.errors import DEBUG, run_command
from social_assets.cli.help_sections import SectionedGroup
from social_assets.cli.home_use import (
    makes_home,
    reads_home,
)
from social_assets.cli.printing.terminal import (
    FORM,
    DateParameter,
    echo,
    mute,
    out,
    print_json,
    print_rows,
    progress,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_assets.operate.status import StreamStatus


@click.group(cls=SectionedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help=f"Folder of all state; default ${ENVIRONMENT_VARIABLE}, else ~/.social-assets.",
)
@click.option(DEBUG, is_flag=True, help="Show the full trace of an error.")
@click.option(
    "--take-over", is_flag=True, help="Use the home here, though another machine, now gone, had it."
)
@click.version_option(package_name="social-assets")
@click.pass_context
def cli(context: click.Context, home: Path | None, *, debug: bool, take_over: bool) -> None:
    """Load social media data from files and Kafka, build facts, rollups and recommendations.

    Exit codes: 0 done; 1 it failed; 2 the command was wrong; 130 interrupted by Ctrl-C.
    """
    del debug  # read by `main`, since errors are reported there
    try:
        context.obj = Home(home) if home else Home.from_environment()
        os.environ[ENVIRONMENT_VARIABLE] = str(context.obj.path)
        # At a terminal, show progress; for programs that read JSON, log every step.
        begin_logs(context.invoked_subcommand or "command", "INFO" if is_json() else "WARNING")
        # Errors that it logs with a trace are also raised.
        logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    except (HomePathError, EnvironmentSettingsError, LogSettingError) as error:
        raise click.UsageError(str(error)) from error
    if take_over:
        take_over_home(context.obj.path / "locks")


@cli.command(short_help="Load sample files and build everything.")
@click.option("--events", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--days", type=click.IntRange(min=4), default=14, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@makes_home
def demo(home: Home, events: int, days: int, seed: int) -> None:
    """Generate sample files, build the whole graph from them, and show what came out."""
    from social_assets.demo.run_demo import run_demo

    run_demo(home, out, events=events, days=days, seed=seed)


@cli.command(short_help="Rebuild days from raw records.")
@click.argument("assets", nargs=-1)
@click.option(
    "--from", "first", type=DateParameter(), help="First day; default the first with records."
)
@click.option("--to", "last", type=DateParameter(), help="Last day; default the last with records.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be done, and do nothing.")
@FORM
@reads_home
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
    Killed, the same command again completes it. Exit code 1 if a check of the days failed.
    """
    from social_assets.operate.runs.backfill_plan import plan_backfill, plan_rows
    from social_assets.operate.runs.failures import ChecksFailedError
    from social_assets.operate.runs.start import rebuild_days

    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    plan = plan_backfill(home, first, last, assets)
    if is_dry:
        print_rows(*plan_rows(plan), form)
        if form == "table":
            runs = ", ".join(f"{begin} to {until}" for begin, until in plan.runs)
            out.print(f"{len(plan.runs)} runs ({runs}), {plan.partitions} partitions")
        return
    told = progress if form == "table" else mute
    documents = []
    failed: list[str] = []
    for begin, until in plan.runs:
        report = rebuild_days(home, begin, until, assets, told)
        failed += report.failed_checks
        documents.append({"from": begin, "to": until, **report.as_json()})
        if form == "table":
            out.print(f"{begin} to {until}: {report}")
    if form == "json":
        print_json(documents)
    if failed:
        raise ChecksFailedError(failed)


@cli.command(short_help="Show rows by layer and failed checks.")
@FORM
@reads_home
def status(home: Home, form: str) -> None:
    """Rows by layer, partitions, and the latest result of every check."""
    from social_assets.operate.status import check_statuses, stream_statuses, table_statuses

    layers = _stream_rows(stream_statuses())
    tables = [(t.table, t.rows, t.days, t.size_bytes) for t in table_statuses()]
    checks = [(c.asset, c.name, c.result) for c in check_statuses(home)]
    if form == "json":
        print_json(
            {
                "streams": [dict(zip(_STREAM, row, strict=True)) for row in layers],
                "tables": [dict(zip(_TABLE, row, strict=True)) for row in tables],
                "checks": [dict(zip(_CHECK, row, strict=True)) for row in checks],
            }
        )
        return
    # Two tables, since all columns are wider than a terminal.
    for columns in (_COUNTS, _DAYS):
        places = [_STREAM.index(name) for name in columns]
        print_rows(columns, [[row[place] for place in places] for row in layers], form)
        out.print()
    print_rows(_TABLE, tables, form)
    troubled = [c for c in checks if c[2] in ("warned", "failed")]
    if troubled:
        out.print()
        print_rows(_CHECK, troubled, form)
    passed = sum(c[2] == "passed" for c in checks)
    never = sum(c[2] == "never run" for c in checks)
    out.print(f"\n{passed} of {len(checks)} checks passed, {never} never run")


@cli.command(short_help="Open the Dagster UI.")
@click.option("--port", type=int, default=3000, show_default=True)
@click.option("--open/--no-open", "is_opened", default=True, help="Open the UI in a browser.")
@click.option(
    "--api-port", type=int, default=8080, show_default=True, help="Of dashboards and API."
)
@click.option("--print-url", "is_printed", is_flag=True, help="Only print the sign-in address.")
@makes_home
def dev(home: Home, port: int, api_port: int, *, is_opened: bool, is_printed: bool) -> None:
    """Open the Dagster UI, dashboards and API on loopback, with daemon and embedded ClickHouse.

    A browser signs in by the address that is printed; keep it to yourself.
    """
    from social_assets.contracts.registry import broken_contracts

    for broken in broken_contracts():
        click.echo(f"not used: {broken}", err=True)
    from social_assets.operate.ui.dev import serve_ui, ui_address

    if is_printed:
        echo(ui_address(home, port))
    else:
        serve_ui(home, port, api_port, out, is_opened=is_opened)


@cli.command("demo-live", short_help="Watch live records on their way.")
@click.option("--rate", type=click.FloatRange(1, 5000), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="Default: until Ctrl-C.")
@click.option("--port", type=int, default=3000, show_default=True)
@click.option("--open/--no-open", "is_opened", default=True, help="Open the UI in a browser.")
@makes_home
def demo_live(home: Home, rate: float, seconds: float | None, port: int, is_opened: bool) -> None:
    """Watch live records, RATE a second, flow from a broker to the rollups.

    The broker lives in this process and keeps nothing.
    """
    from social_assets.demo.live.run_demo_live import LiveOptions, run_demo_live

    run_demo_live(home, out, LiveOptions(rate, seconds, port, is_opened))


def hidden_alias(command: click.Command) -> click.Command:
    """The command under an old name, which the help does not list."""
    alias = copy.copy(command)
    alias.hidden = True
    return alias


for command in (
    alerts,
    cdc,
    contract,
    credentials,
    doctor,
    keys,
    report,
    secrets,
    webhooks,
    track,
    untrack,
    accounts,
    collect,
    media,
    load,
    logs,
    ship_logs,
    up,
    serve_clickhouse,
    stop,
    kafka,
    metrics,
    query,
    search,
    experiments,
    features,
    forecast,
    serve,
    sql,
    streams,
    notebook,
    recsys,
    text,
    quarantine,
    replay,
    unload,
    gaps,
    failed_files,
    plan,
    deploy,
    backup,
    backups,
    restore,
    rebuild_warehouse,
    forget,
    deletions,
    export_person,
):
    cli.add_command(command)
# The name up to release 0.1.
cli.add_command(hidden_alias(quarantine), "dead-letters")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: runs a command and exits with its code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    is_debug = DEBUG in given
    # Only this user may read what this process and its children write.
    os.umask(0o077)
    code = run_command(lambda: cli.main(args=given, standalone_mode=False), is_debug=is_debug)
    sys.exit(code)


_COUNTS = ("stream", "raw", "cleaned", "duplicates", "rejected", "warehouse")
_STREAM = ("stream", "days", "first", "last", *_COUNTS[1:], "conserved")
_DAYS = ("stream", "days", "first", "last", "conserved")
_TABLE = ("table", "rows", "partitions", "bytes")
_CHECK = ("asset", "check", "result")


def _stream_rows(statuses: Sequence[StreamStatus]) -> list[tuple[object, ...]]:
    return [
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
