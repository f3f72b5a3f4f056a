"""Alerts as people receive them: real runs and checks, an HTTP receiver, an SMTP server."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from dagster import AssetCheckSeverity

from sensors.alerts import alerts_sensor
from social_assets.alerts import journal as journal_module
from social_assets.alerts.channels import URLS
from social_assets.alerts.dispatch import TRIES_UNTIL_TOLD, UndeliveredError
from social_assets.contracts.registry import contract
from social_assets.lake.delta import Applied
from social_assets.lake.lake import Lake
from tests.integration.alerts.conftest import Platform
from tests.integration.alerts.receivers import Mailbox, Webhook, webhook

DAY, NEXT_DAY = "2026-03-01", "2026-03-02"
SOMETHING: dict[pa.DataType, object] = {
    pa.string(): "x",
    pa.int32(): 1,
    pa.int64(): 1,
    pa.timestamp("us", "UTC"): datetime(2026, 1, 5, tzinfo=UTC),
    pa.date32(): None,
}
POSTS, ALS = ["star", "posts"], ["recsys", "als"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the pause before a retry."""
    monkeypatch.setattr(journal_module, "FIRST_BACK_OFF_SECONDS", 0.0)


def test_a_failure_is_told_once_and_so_is_its_recovery(platform: Platform, hook: Webhook) -> None:
    platform.failing = {"drain"}
    for _ in range(3):
        platform.run("drain_posts")
        platform.tick()
    assert hook.titles == ["ERROR: drain_posts failed"]
    assert "the broker went away" in hook.received[0]["message"]
    assert "owner: team:content" in hook.received[0]["message"]
    platform.failing = set()
    platform.run("drain_posts")
    assert "no active alerts" in platform.tick()
    platform.tick()
    assert hook.titles[1:] == ["recovered: drain_posts failed"]


def test_all_changes_of_a_tick_are_one_message(platform: Platform, hook: Webhook) -> None:
    platform.failing = {"drain", "check"}
    platform.run("drain_posts")
    platform.run("rebuild_days", DAY)
    platform.tick()
    assert hook.titles == ["2 errors"]


def test_a_load_that_failed_for_its_files_alone_has_no_alert_beside_theirs(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"file"}
    platform.run("load_files")
    assert "no active alerts" in platform.tick()
    assert hook.titles == []


def test_a_load_without_some_files_ends_the_alert_of_the_load_that_broke_off(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"load"}
    platform.run("load_files")
    platform.tick()
    platform.failing = {"file"}
    platform.run("load_files")
    platform.tick()
    assert hook.titles == [
        "ERROR: load_files of posts failed",
        "recovered: load_files of posts failed",
    ]


def test_each_day_that_failed_stands_until_that_day_is_made(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"asset"}
    platform.run("rebuild_days", DAY)
    platform.run("rebuild_days", NEXT_DAY)
    platform.tick()
    platform.failing = set()
    platform.run("rebuild_days", DAY)
    platform.tick()
    assert hook.titles == ["2 errors", f"recovered: rebuild_days failed for {DAY}"]


def test_what_one_job_failed_to_make_another_may_make_good(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"asset"}
    platform.materialize(POSTS, day=DAY)
    platform.tick()
    platform.failing = set()
    platform.run("rebuild_days", DAY)
    platform.tick()
    failed = f"materialization of star/posts failed for {DAY}"
    assert hook.titles == [f"ERROR: {failed}", f"recovered: {failed}"]


def test_a_failed_run_that_somebody_deletes_has_been_looked_at(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"drain"}
    run_id = platform.run("drain_posts")
    platform.tick()
    platform.instance.delete_run(run_id)
    platform.tick()
    assert hook.titles[1:] == ["recovered: drain_posts failed"]


def test_a_check_that_gets_worse_is_told_again(platform: Platform, hook: Webhook) -> None:
    platform.failing, platform.severity = {"check"}, AssetCheckSeverity.WARN
    platform.materialize(POSTS, day=DAY)
    platform.tick()
    platform.severity = AssetCheckSeverity.ERROR
    platform.materialize(POSTS, day=DAY)
    platform.tick()
    title = "check keys_resolve of star/posts failed"
    assert hook.titles == [f"WARN: {title}", f"ERROR: {title}"]


def test_a_candidate_that_is_not_admitted_is_told_as_such(
    platform: Platform, hook: Webhook
) -> None:
    platform.failing = {"candidate"}
    platform.materialize(ALS)
    platform.tick()
    assert "ERROR: candidate recsys/als is rejected: beats_popularity" in str(hook.received)


def test_a_stream_whose_days_stay_away_is_told_without_any_run(
    platform: Platform, hook: Webhook
) -> None:
    land_cleaned(platform, date(2026, 1, 5))
    platform.tick()
    platform.tick()
    assert hook.titles == ["ERROR: posts is stale since 2026-01-05"]
    land_cleaned(platform, datetime.now(UTC).date())
    platform.tick()
    assert hook.titles[1:] == ["recovered: posts is stale since 2026-01-05"]


def test_a_lake_that_cannot_be_read_is_an_alert_and_no_recovery(
    platform: Platform, hook: Webhook
) -> None:
    land_cleaned(platform, date(2026, 1, 5))
    platform.tick()
    log = next((platform.home.lake / "cleaned" / "posts" / "_delta_log").glob("*.json"))
    content = log.read_bytes()
    log.write_text("{not json")
    platform.tick()
    log.write_bytes(content)
    platform.tick()
    assert hook.titles[1:] == [
        "ERROR: stale/posts cannot be watched",
        "recovered: stale/posts cannot be watched",
    ]


def test_owner_and_severity_choose_the_channel(
    platform: Platform, receivers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, pager, common = (receivers.enter_context(webhook()) for _ in range(3))
    monkeypatch.setenv(URLS, common.url())
    monkeypatch.setenv(f"{URLS}__TEAM_CONTENT", team.url())
    monkeypatch.setenv(f"{URLS}__ERROR", pager.url())
    platform.failing, platform.severity = {"check"}, AssetCheckSeverity.WARN
    platform.materialize(POSTS, day=DAY)
    platform.tick()
    assert (len(team.received), len(pager.received), len(common.received)) == (1, 0, 0)
    platform.failing = {"check", "candidate"}
    platform.materialize(ALS)
    platform.tick()
    assert len(team.received) == 1
    assert pager.titles == common.titles != []


def test_an_alert_comes_by_mail(
    platform: Platform, mails: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_UI_URL", "https://dagster.example.org")
    monkeypatch.setenv(
        URLS,
        f"mailto://127.0.0.1:{mails.port}?smtp=127.0.0.1&mode=insecure"
        "&from=platform@example.org&to=oncall@example.org",
    )
    platform.failing = {"drain"}
    run_id = platform.run("drain_posts")
    platform.tick()
    (mail,) = mails.received
    assert mail["Subject"] == "[social-assets local] ERROR: drain_posts failed"
    assert "oncall@example.org" in mail["To"]
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert f"https://dagster.example.org/runs/{run_id}" in text.decode()


def test_a_mail_tells_of_each_failure_its_object_reason_and_the_command_to_go_on_with(
    platform: Platform, mails: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        URLS,
        f"mailto://127.0.0.1:{mails.port}?smtp=127.0.0.1&mode=insecure"
        "&from=platform@example.org&to=oncall@example.org",
    )
    land_cleaned(platform, date(2026, 1, 5))
    platform.failing = {"drain", "asset"}
    platform.run("drain_posts")
    platform.run("rebuild_days", DAY)
    platform.failing = {"check"}
    platform.materialize(POSTS, day=NEXT_DAY)
    platform.tick()
    (mail,) = mails.received
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    text = " ".join(payload.decode().split())
    for part in (
        "drain_posts failed",
        "the broker went away",
        "`social-assets doctor`",
        f"rebuild_days failed for {DAY}",
        f"--from {DAY} --to {DAY}",
        "check keys_resolve of star/posts failed",
        "`social-assets backfill star/posts",
        "posts is stale since 2026-01-05",
        "the newest day with rows, 2026-01-05, ended ",
        " ago: more than 2 days 6 hours",
        "`social-assets gaps posts`",
    ):
        assert part in text, payload.decode()


def test_what_a_channel_did_not_take_fails_the_tick_and_is_told_later(
    platform: Platform, hook: Webhook, at_once: None
) -> None:
    platform.failing = {"drain"}
    platform.run("drain_posts")
    hook.refuses = True
    for _ in range(2):
        with pytest.raises(UndeliveredError, match=f"json of {URLS} did not take an alert"):
            platform.tick()
    hook.refuses = False
    platform.tick()
    platform.tick()
    assert hook.titles == ["ERROR: drain_posts failed"]


def test_between_two_tries_the_channel_has_a_pause(platform: Platform, hook: Webhook) -> None:
    platform.failing = {"drain"}
    platform.run("drain_posts")
    hook.refuses = True
    with pytest.raises(UndeliveredError):
        platform.tick()
    asked = hook.asked
    assert f"json of {URLS} failed 1 times" in platform.tick()
    assert hook.asked == asked


def test_the_other_channels_are_told_of_one_that_takes_nothing(
    platform: Platform,
    hook: Webhook,
    receivers: ExitStack,
    at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaf = receivers.enter_context(webhook())
    monkeypatch.setenv(f"{URLS}__ERROR", deaf.url())
    platform.failing = {"drain"}
    platform.run("drain_posts")
    deaf.refuses = True
    for _ in range(TRIES_UNTIL_TOLD + 1):
        with pytest.raises(UndeliveredError):
            platform.tick()
    title = f"json of {URLS}__ERROR takes no alerts"
    assert hook.titles == ["ERROR: drain_posts failed", f"ERROR: {title}"]
    deaf.refuses = False
    platform.tick()
    platform.tick()
    assert deaf.titles == ["ERROR: drain_posts failed"]
    assert hook.titles[2:] == [f"recovered: {title}"]


def test_a_channel_named_later_is_told_what_stands_by_then(
    platform: Platform, hook: Webhook, receivers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.failing = {"drain"}
    platform.run("drain_posts")
    platform.tick()
    later = receivers.enter_context(webhook())
    monkeypatch.setenv(URLS, f"{hook.url()} {later.url()}")
    platform.tick()
    assert (len(hook.received), len(later.received)) == (1, 1)


def test_no_secret_of_a_channel_shows_anywhere(
    platform: Platform,
    receivers: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secret = "hunter2secret"
    hook = receivers.enter_context(webhook())
    monkeypatch.setenv(URLS, f"json://user:{secret}@127.0.0.1:{hook.port}/{secret}/hook")
    hook.refuses = True
    platform.failing = {"drain"}
    with caplog.at_level(logging.DEBUG):
        platform.run("drain_posts")
        with pytest.raises(UndeliveredError) as error:
            platform.tick()
        waiting = platform.tick()
    shown = [str(error.value), waiting, caplog.text, *capfd.readouterr()]
    assert [text for text in shown if secret in text] == []
    files = [path for path in platform.home.path.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_without_a_channel_nobody_is_told_and_the_tick_says_so(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URLS, raising=False)
    assert f"set {URLS}" in platform.tick()
    assert alerts_sensor().minimum_interval_seconds == 30


def land_cleaned(platform: Platform, day: date) -> None:
    """Put one row of a day into the lake's cleaned table."""
    lake = Lake(str(platform.home.lake), platform.home.path / "locks")
    table = lake.table("cleaned", contract("posts"))
    row = {field.name: None if field.nullable else SOMETHING[field.type] for field in table.schema}
    rows = pa.Table.from_pylist([row | {"event_date": day}], table.schema)
    table.append(rows, Applied(f"test/{day}", 1))
