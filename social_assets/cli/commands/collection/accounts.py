"""`social-assets track`, `untrack` and `accounts`: what is collected. Only parses and prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_control, reads_control
from social_assets.cli.printing.terminal import FORM, echo, print_rows
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.settings.home import Home
    from social_assets.control.accounts import Account
    from social_assets.control.collection.schedule import CollectionPlan, PlanChange
    from social_assets.control.collection.tracked_account import TrackedAccount
    from social_assets.control.collection.tracked_accounts import TrackedAccounts

_PRIORITIES = ("high", "standard", "low")
_TABLE = ("account", "id", "priority", "collected", "due", "problem")
_DOCUMENT = (
    "platform",
    "account",
    "account_id",
    "priority",
    "every_seconds",
    "refresh_at",
    "time_zone",
    "tracked_at",
    "last_collected_at",
    "next_due_at",
    "paused_at",
    "paused_reason",
    "problem",
)


@click.command(short_help="Collect accounts from now on.")
@click.argument("accounts", nargs=-1, metavar="[PLATFORM:ACCOUNT]...")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with columns platform, account, and any of priority, every, refresh_at, time_zone.",
)
@click.option(
    "--priority",
    type=click.Choice(_PRIORITIES, case_sensitive=False),
    help="high: each 60 s; standard: each 15 minutes; low: once a day.",
)
@click.option("--every", metavar="TIME", help="An interval of its own, such as 90s, 5m or 6h.")
@click.option("--refresh-at", metavar="HH:MM", help="When all is read again; at first 02:00.")
@click.option("--time-zone", metavar="NAME", help="Of --refresh-at; at first UTC.")
@click.option("--resume", "is_resumed", is_flag=True, help="Also end the pause of the accounts.")
@makes_control
def track(
    home: Home,
    *,
    accounts: tuple[str, ...],
    path: Path | None,
    priority: str | None,
    every: str | None,
    refresh_at: str | None,
    time_zone: str | None,
    is_resumed: bool,
) -> None:
    """Collect accounts, such as instagram:natgeo, from now on: all that are named, or none.

    An option that is not given leaves a tracked account as it is; a new one has the priority
    standard. A priority ends an interval of the account's own. A line of the file comes before the
    options.
    """
    from social_assets.ingest.connectors.account_list import (
        parse_account,
        plan_change,
        read_accounts,
    )

    if not accounts and path is None:
        raise click.UsageError("name accounts, such as instagram:natgeo, or a --file")
    try:
        said = plan_change(priority, every, refresh_at, time_zone)
        wanted = {parse_account(text): said for text in accounts}
        if path is not None:
            listed = read_accounts(path)
            wanted |= {account: change.or_else(said) for account, change in listed.items()}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _track(_stored(home), wanted, is_resumed=is_resumed)


def _track(stored: TrackedAccounts, wanted: dict[Account, PlanChange], *, is_resumed: bool) -> None:
    if is_resumed:
        # An account that is not tracked has no pause: its name may be mistyped.
        for account in wanted:
            stored.get(account.platform, account.account_id)
    counts = stored.track_all(wanted.items())
    for account in wanted if is_resumed else ():
        stored.resume(account.platform, account.account_id)
    if len(wanted) > 1:
        echo(
            f"tracked {counted(len(wanted), 'account')}: {counts.new:,} new, "
            f"{counts.changed:,} changed, {counts.unchanged:,} as before"
        )
        return
    (account,) = wanted
    now = stored.get(account.platform, account.account_id)
    echo(f"tracked {account}: {_told_plan(now.plan)}")
    if now.paused_at:
        echo(f"it is paused: {now.paused_reason}; `track {account} --resume` ends the pause")


@click.command(short_help="Collect accounts no more.")
@click.argument("accounts", nargs=-1, required=True, metavar="PLATFORM:ACCOUNT...")
@reads_control
def untrack(home: Home, accounts: tuple[str, ...]) -> None:
    """Collect accounts no more: all that are named, or none. What was collected stays.

    Tracked again, an account is collected from the beginning.
    """
    from social_assets.ingest.connectors.account_list import parse_tracked

    try:
        named = dict.fromkeys(map(parse_tracked, accounts))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _stored(home).untrack_all(named)
    for account in named:
        echo(f"untracked {account}")


@click.command(short_help="List tracked accounts: when collected, why paused.")
@click.option("--platform", help="Only accounts of this platform.")
@FORM
@reads_control
def accounts(home: Home, platform: str | None, form: str) -> None:
    """List tracked accounts: when each was collected, is due next, why it is paused or failed.

    `social-assets track ACCOUNT --resume` ends a pause.
    """
    from social_assets.control.schema import now
    from social_assets.ingest.connectors.registry import connector_of

    named = connector_of(platform).platform if platform else None
    found = _stored(home).list(named)
    if form == "json":
        print_rows(_DOCUMENT, [_document(each) for each in found], form)
        return
    print_rows(_TABLE, _lines(found, now()), form)
    if not found:
        echo("no account is tracked; `social-assets track instagram:natgeo` begins it")


def _document(each: TrackedAccount) -> tuple[object, ...]:
    plan = each.plan
    return (
        each.platform,
        each.name,
        each.account_id,
        plan.priority.value,
        None if plan.every is None else int(plan.every.total_seconds()),
        plan.refresh_at,
        plan.time_zone,
        each.tracked_at,
        each.last_collected_at,
        each.next_due_at,
        each.paused_at,
        each.paused_reason,
        each.problem,
    )


def _lines(found: Sequence[TrackedAccount], at: datetime) -> list[tuple[str, ...]]:
    from social_assets.control.collection.schedule import interval_text

    return [
        (
            f"{each.platform}:{each.name}",
            each.account_id or "",
            f"every {interval_text(each.plan.every)}" if each.plan.every else each.plan.priority,
            "never" if each.last_collected_at is None else _past(at, each.last_collected_at),
            "paused" if each.paused_at else _due(at, each.next_due_at),
            each.paused_reason or each.problem or "",
        )
        for each in found
    ]


def _past(at: datetime, then: datetime) -> str:
    return f"{_roughly((at - then).total_seconds())} ago"


def _due(at: datetime, due: datetime | None) -> str:
    """An account is due from the beginning: its endpoints are not known before it is collected."""
    if due is None or due <= at:
        return "now"
    return f"in {_roughly((due - at).total_seconds())}"


def _roughly(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def _told_plan(plan: CollectionPlan) -> str:
    from social_assets.control.collection.schedule import DAY, interval_text

    refresh = f"at {plan.refresh_at} {plan.time_zone}"
    if plan.interval >= DAY:
        return f"once a day {refresh}"
    return f"every {interval_text(plan.interval)}, all again once a day {refresh}"


def _stored(home: Home) -> TrackedAccounts:
    from social_assets.control.collection.tracked_accounts import TrackedAccounts
    from social_assets.control.engine import open_engine

    return TrackedAccounts(open_engine(home))
