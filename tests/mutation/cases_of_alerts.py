"""Mutations of the alerts: item 5, recipients and messages."""

from __future__ import annotations

from tests.mutation.case import Case

_ITEM = "5.5 alerts"
_TOLD = "tests/integration/alerts/test_alerts_of_a_platform.py::test_"
_MESSAGE = "tests/unit/alerts/test_alert_messages.py::test_"
_ROUTING = "tests/unit/alerts/test_alert_routing.py::test_"
_LAG = "tests/unit/alerts/test_lag_alerts.py::test_"
_DELIVERY = "tests/unit/alerts/test_alert_delivery.py::test_"
_JOURNAL = "tests/unit/alerts/test_alert_journal.py::test_"


def _cases(file: str, *taken_away: tuple[str, str, str, str]) -> list[Case]:
    path = f"resources/messages/{file}" if file == "send.py" else f"social_assets/alerts/{file}"
    return [Case(_ITEM, what, path, old, new, test) for what, old, new, test in taken_away]


WHAT_FAILS = (
    *_cases(
        "kinds/failed_runs.py",
        (
            "a run that failed is not told",
            "        if not _is_made_good(record, later, job_assets):\n",
            "        if False:\n",
            f"{_TOLD}a_failure_is_told_once_and_so_is_its_recovery",
        ),
        (
            "a day made well ends the failure of another",
            "frozenset().union(*(each or () for each in days)) >= work.days",
            "bool(days)",
            f"{_TOLD}each_day_that_failed_stands_until_that_day_is_made",
        ),
    ),
    *_cases(
        "kinds/failed_checks.py",
        (
            "a check that failed is not told",
            "if record is not None and is_failed:",
            "if record is None and is_failed:",
            f"{_TOLD}all_changes_of_a_tick_are_one_message",
        ),
        (
            "a check that warns is told as an error",
            "severity=Severity.ERROR if severe else Severity.WARN,",
            "severity=Severity.ERROR,",
            f"{_TOLD}a_check_that_gets_worse_is_told_again",
        ),
        (
            "a candidate that is rejected is told as any check",
            'is_admission = spec.blocking and spec.asset_key.path[0] == "recsys"',
            "is_admission = False",
            f"{_TOLD}a_candidate_that_is_not_admitted_is_told_as_such",
        ),
    ),
    *_cases(
        "kinds/stale_streams.py",
        (
            "a stream that stands still is not told",
            "    if result.passed:\n        return None\n",
            "    return None\n",
            f"{_TOLD}a_stream_whose_days_stay_away_is_told_without_any_run",
        ),
        (
            "a topic that gets ahead is not told",
            "        looks += _lags(listed, stores, kafka)\n",
            "        looks += []\n",
            f"{_LAG}a_lag_over_the_contracts_limits_is_told",
        ),
        (
            "what can't be seen counts as recovered",
            "return Observation((blind,), blind=(key,))",
            "return Observation((blind,))",
            f"{_TOLD}a_lake_that_cannot_be_read_is_an_alert_and_no_recovery",
        ),
    ),
)

WHO_IS_TOLD = (
    *_cases(
        "channels.py",
        (
            "a team is not told by its own channel",
            '[*(by_owner or [""]), severity]',
            '["", severity]',
            f"{_ROUTING}an_owner_with_a_channel_of_its_own_leaves_the_common_one",
        ),
        (
            "errors do not reach the pager",
            '[*(by_owner or [""]), severity]',
            '[*(by_owner or [""])]',
            f"{_ROUTING}errors_reach_the_pager_in_addition",
        ),
        (
            "the text of a channel shows its URL",
            "    url: str = field(repr=False)",
            "    url: str = field()",
            f"{_ROUTING}the_name_and_the_text_of_a_channel_hold_no_secret",
        ),
    ),
    *_cases(
        "observe.py",
        (
            "a run is nobody's in particular",
            "    return owners.get(stream_of(run)) or _owner_of_assets",
            "    return _owner_of_assets",
            f"{_TOLD}a_failure_is_told_once_and_so_is_its_recovery",
        ),
    ),
    *_cases(
        "send.py",
        (
            "a channel's answer is shown with its URL",
            "return without_secrets(said, url) or",
            "return said or",
            f"{_DELIVERY}why_a_channel_did_not_take_it_is_one_line_without_secrets",
        ),
        (
            "what a channel is sent goes to the log",
            "    _silence()\n",
            "",
            f"{_TOLD}no_secret_of_a_channel_shows_anywhere",
        ),
    ),
)

ONCE = (
    *_cases(
        "changes.py",
        (
            "a failure that stands is told at every look",
            "if failure.key not in told or failure.severity.exceeds(told[failure.key].severity)",
            "if failure.key",
            f"{_MESSAGE}an_active_alert_is_told_once",
        ),
        (
            "a warning that becomes an error is not told again",
            "failure.key not in told or failure.severity.exceeds(told[failure.key].severity)",
            "failure.key not in told",
            f"{_TOLD}a_check_that_gets_worse_is_told_again",
        ),
        (
            "a recovery is not told",
            "if key not in active and not observed.is_unknown(key)",
            "if key in active and not observed.is_unknown(key)",
            f"{_MESSAGE}what_no_longer_stands_has_recovered",
        ),
    ),
    *_cases(
        "journal.py",
        (
            "a recovery is told at every look",
            '                "DELETE FROM told WHERE channel = ? AND key = ?",\n',
            '                "DELETE FROM told WHERE channel = ? AND key != ? AND 0",\n',
            f"{_TOLD}a_failure_is_told_once_and_so_is_its_recovery",
        ),
        (
            "the pause after a failed try grows no longer",
            "FIRST_BACK_OFF_SECONDS * 2 ** (tries - 1)",
            "FIRST_BACK_OFF_SECONDS",
            f"{_JOURNAL}the_pause_is_twice_as_long_after_each_try_up_to_a_bound",
        ),
    ),
    *_cases(
        "dispatch.py",
        (
            "each failure is a message of its own",
            "            due[channel] = fresh\n",
            "            due[channel] = Changes(fresh.raised[:1], fresh.recovered)\n",
            f"{_TOLD}all_changes_of_a_tick_are_one_message",
        ),
        (
            "a channel that takes nothing has no pause",
            "if fresh and held and held.next_try > moment:",
            "if fresh and held and held.next_try < 0:",
            f"{_TOLD}between_two_tries_the_channel_has_a_pause",
        ),
        (
            "a message that was not taken counts as told",
            "                refused.append(journal.record_undelivered(channel, error, moment))\n",
            "                refused.append(journal.record_undelivered(channel, error, moment))\n"
            "                journal.record_delivered(channel, fresh, moment)\n",
            f"{_TOLD}what_a_channel_did_not_take_fails_the_tick_and_is_told_later",
        ),
        (
            "a channel that takes nothing does not fail the tick",
            "        if self.refused:\n",
            "        if len(self.refused) > 1:\n",
            f"{_TOLD}what_a_channel_did_not_take_fails_the_tick_and_is_told_later",
        ),
        (
            "the other channels are not told of one that takes nothing",
            "(*observed.active, *_deaf(undelivered, routing))",
            "(*observed.active,)",
            f"{_TOLD}the_other_channels_are_told_of_one_that_takes_nothing",
        ),
    ),
    *_cases(
        "message.py",
        (
            "no link leads to the run",
            'lines += [f"  {run_link(ui_url, failure.run_id)}"] if failure.run_id else []',
            "lines += []",
            f"{_TOLD}an_alert_comes_by_mail",
        ),
        (
            "no link leads to the asset",
            'lines += [f"  {asset_link(ui_url, failure.asset, failure.check)}"]',
            "lines += []",
            f"{_MESSAGE}one_failure_is_the_title_and_links_lead_to_run_and_check",
        ),
    ),
)

CASES: tuple[Case, ...] = (*WHAT_FAILS, *WHO_IS_TOLD, *ONCE)
