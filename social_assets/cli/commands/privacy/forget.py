"""`social-assets forget`, `deletions` and `export-person`: what is known of a person, and its end.

Belongs here: parsing and printing. The id of a person is read from the terminal or a pipe, never
from an argument, which the shell's history would keep. `operate.forget` starts the runs.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_control, reads_home
from social_assets.cli.printing.terminal import FORM, echo, print_rows, progress
from social_assets.operate.runs.failures import RunFailedError

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.control.privacy.person import Person


@click.command(short_help="Delete all that is known of a person.")
@click.option("--later", is_flag=True, help="Only record the request: tonight's run does it.")
@click.option(
    "--due-in",
    "due_in",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Until when it must be done; GDPR gives a month.",
)
@reads_home
def forget(home: Home, *, later: bool, due_in: int) -> None:
    """Forget persons: asks for PLATFORM:ID, or reads one a line from a pipe.

    Without a platform, the ID counts on all of them. Their records leave raw, cleaned, quarantine,
    every table, list and copy; days are rebuilt without them, recommenders trained again. What
    arrives later of them is rejected. A request is done when no place has the id any more. Killed,
    the same command goes on. Files outside the home, topics and backups are not touched.
    """
    from social_assets.operate.forget import forget_pending, request_deletions

    persons = _persons()
    requests = request_deletions(home, persons, timedelta(days=due_in))
    for each in requests:
        echo(f"request {each.id}, due {each.due_at:%Y-%m-%d}")
    if later:
        return
    report = forget_pending(home, progress)
    if report is None:
        echo("no request is pending")
        return
    streams = ", ".join(f"{n:,} of {stream}" for stream, n in sorted(report.records.items()))
    echo(f"deleted records: {streams or 'none'}")
    if report.left:
        left = "\n".join(f"  {each.place}: {each.remedy}" for each in report.left)
        raise RunFailedError(f"not done, these places still have the id:\n{left}")
    if report.ids_of_others:
        echo(
            f"{report.ids_of_others} of the ids are also those of records of other platforms, which"
            " stay: these ids were not looked for outside of streams"
        )
    echo("done: no other record or place has the ids any more")


@click.command(short_help="List deletion requests and their state.")
@FORM
@reads_control
def deletions(home: Home, form: str) -> None:
    """List all requests to forget a person, without naming the person."""
    from social_assets.operate.forget import all_requests

    at = datetime.now(UTC)
    rows = [
        (
            each.id,
            each.state(at),
            each.platform or "all",
            f"{each.requested_at:%Y-%m-%d}",
            f"{each.due_at:%Y-%m-%d}",
            f"{each.done_at:%Y-%m-%d}" if each.done_at else None,
        )
        for each in all_requests(home)
    ]
    print_rows(("request", "state", "platform", "requested", "due", "done"), rows, form)


@click.command("export-person", short_help="Print all records of a person.")
@reads_home
def export_person(home: Home) -> None:
    """Print every record that is known of a person, one JSON object a line, to give to the person.

    Asks for PLATFORM:ID, or reads it from a pipe. These are the records that `forget` deletes.
    """
    from social_assets.operate.forget import known_records

    for person in _persons():
        for each in known_records(home, person):
            click.echo(each.as_json())


def _persons() -> list[Person]:
    """The persons that are typed, or read from a pipe."""
    from social_assets.control.privacy.person import Person, PersonNameError

    lines = (
        [click.prompt("person (PLATFORM:ID)", err=True)]
        if sys.stdin.isatty()
        else [line.strip() for line in sys.stdin if line.strip()]
    )
    try:
        return [Person.parse(line) for line in lines]
    except PersonNameError as error:
        raise click.UsageError(str(error)) from error
