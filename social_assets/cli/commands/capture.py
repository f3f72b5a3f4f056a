"""`social-assets cdc`: captures the changes of tables in one's own PostgreSQL.

Belongs here: parsing and printing. What is done belongs to `operate.capture`.
"""

from __future__ import annotations

import json

import click

from resources.settings.home import Home
from social_assets.cli.home_use import knows_home, makes_home, needs_no_home, reads_home
from social_assets.cli.printing.terminal import FORM, echo, out, print_json, print_rows

_MEBIBYTE = 1024**2


@click.group(short_help="Capture the changes of tables in PostgreSQL.")
def cdc() -> None:
    """Change capture by Debezium, on a Kafka Connect worker of the home. Needs Java and Maven."""


@cdc.command("start")
@makes_home
def start(home: Home) -> None:
    """Start the worker unless it runs. Connectors that were deployed go on.

    It gets the passwords of the captured databases: after one has changed, stop and start it.
    """
    from social_assets.operate.capture import start_worker

    start_worker(home)
    out.print("the Kafka Connect worker runs")


@cdc.command("stop")
@knows_home
def stop(home: Home) -> None:
    """Stop the worker. Connectors and slots stay: databases keep their log until it runs again."""
    from resources.kafka_connect import worker

    out.print("stopped the worker" if worker.stop(home) else "the worker was not running")


@cdc.command("deploy")
@click.argument("streams", nargs=-1)
@click.option("--snapshot", is_flag=True, help="Begin anew: after a lost slot, or a restore.")
@makes_home
def deploy(home: Home, streams: tuple[str, ...], *, snapshot: bool) -> None:
    """Have the changes of STREAMS captured, as their contracts say; of all, if none is named.

    Without STREAMS, what was captured for a contract that is gone is dropped, with its slot.
    """
    from social_assets.operate.capture import deploy_capture

    if snapshot and not streams:
        raise click.UsageError("--snapshot reads whole tables: name the streams")
    deploy_capture(
        home, streams, snapshot=snapshot, told=lambda text: out.print(text, markup=False)
    )


@cdc.command("status")
@click.argument("streams", nargs=-1)
@FORM
@reads_home
def status(home: Home, streams: tuple[str, ...], form: str) -> None:
    """How each stream is captured: its connector, and the database's log that its slot keeps."""
    from social_assets.operate.capture import capture_statuses

    found = list(capture_statuses(home, streams))
    if form == "json":
        print_json(
            [
                {
                    "stream": each.stream,
                    "connector": each.connector,
                    "slot": each.slot and each.slot.name,
                    "wal_status": each.slot and each.slot.wal_status,
                    "kept_bytes": each.slot and each.slot.kept_bytes,
                    "limit_bytes": each.slot and each.slot.limit_bytes,
                    "told": each.told,
                }
                for each in found
            ]
        )
        return
    rows = [
        (
            each.stream,
            each.connector,
            each.slot.wal_status if each.slot else "none",
            _mebibytes(each.slot.kept_bytes if each.slot else None),
            _mebibytes(each.slot.limit_bytes if each.slot else None),
        )
        for each in found
    ]
    print_rows(("stream", "connector", "slot", "kept MiB", "limit MiB"), rows, form)
    for each in found:
        out.print(f"\n{each.stream}: {each.told}", markup=False)


@cdc.command("drop")
@click.argument("stream")
@reads_home
def drop(home: Home, stream: str) -> None:
    """Remove connector, replication slot and publication of STREAM. Its rows and topic stay."""
    from social_assets.operate.capture import drop_capture

    dropped = drop_capture(home, stream)
    out.print(f"{stream}: {'dropped' if dropped else 'was not captured'}", markup=False)


@cdc.command("show")
@click.argument("stream")
@needs_no_home
def show(stream: str) -> None:
    """Print the configuration of STREAM's connector, for a Kafka Connect of your own.

    It names the variable that must hold the password there; it has no secret.
    """
    from social_assets.operate.capture import shown_config

    echo(json.dumps(dict(shown_config(stream)), indent=2))


def _mebibytes(size: int | None) -> str:
    return "" if size is None else f"{size / _MEBIBYTE:,.1f}"
