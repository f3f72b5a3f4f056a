"""When days of a partitioned asset are rebuilt automatically.

Belongs here: the condition of cleaned, quarantine, facts, dimensions and rollups, and the one of
assets that nothing but their run makes. The sensor `sensors.automation` evaluates them. The
recommenders have their own conditions.
"""

from __future__ import annotations

from dagster import AutomationCondition

from resources.dagster.private import MAX_RETRIES_TAG

RETRIES = {MAX_RETRIES_TAG: "2"}
"""The run tag of rebuilds: the daemon repeats a failed run up to so many times, from the failed
step. After that it is an active alert, and fails `no_partition_left_failed`."""

_SOURCE_CHANGED = AutomationCondition.any_deps_match(AutomationCondition.newly_updated())

_REQUESTED_AS_WELL = AutomationCondition.any_deps_match(AutomationCondition.will_be_requested())
_NOT_IN_PROGRESS = (
    ~AutomationCondition.any_deps_in_progress() & ~AutomationCondition.in_progress()
).with_label("nobody is at it")

REBUILD_CHANGED_DAYS = (
    (
        _SOURCE_CHANGED.since(AutomationCondition.newly_updated())
        & _SOURCE_CHANGED.since(AutomationCondition.newly_requested())
        & ~_SOURCE_CHANGED
    ).with_label("a source changed, and now is quiet")
    | _REQUESTED_AS_WELL
) & _NOT_IN_PROGRESS
"""A day is requested once after a source has changed on that day, however old it is. All later
layers are requested with it, as one run.

`eager()` does not fit: it considers only the newest day, and requests every day without events.
`since_last_handled()` does not fit either: Dagster 1.13 compares the times of two events between
two evaluations only if no boolean operator stands between them and `since`. Otherwise a source that
changed after the request and before the next evaluation is lost.

The condition waits for a pause, because loads and drains record a day of raw, then of cleaned, then
of the facts that their views have updated already: an evaluation in between would see facts as
outdated."""

MAKE_CHANGED_DAYS = (
    _SOURCE_CHANGED.since(AutomationCondition.newly_requested()).with_label(
        "a source changed since the last request"
    )
    | _REQUESTED_AS_WELL
) & _NOT_IN_PROGRESS
"""The condition of assets whose rows no view of ClickHouse keeps current, such as `text/sentiment`.

It waits for no pause, because a stream that never pauses would never be scored. Only a request
counts as an answer to a change: a change during a run may have come after the run read its source,
so it is requested once more. After a run that made source and asset together, this is one more run,
which finds nothing to do.
"""

_A_TICK_HAS_COME = AutomationCondition.cron_tick_passed("*/15 * * * *")

MAKE_CHANGED_DAYS_EACH_QUARTER = (
    (
        _SOURCE_CHANGED.since(AutomationCondition.newly_requested())
        & _A_TICK_HAS_COME.since(AutomationCondition.newly_requested())
    ).with_label("a source changed since the last request, and a quarter of an hour is over")
    | _REQUESTED_AS_WELL
) & _NOT_IN_PROGRESS
"""As MAKE_CHANGED_DAYS, four times an hour at most: of assets whose days take many seconds, as
sessions do. With a rebuild of their sources they are made at once."""

_A_DAY_HAS_ENDED = AutomationCondition.cron_tick_passed("0 0 * * *")

_CHANGED_OR_DAY_HAS_ENDED = _SOURCE_CHANGED.since(
    AutomationCondition.newly_requested()
) | _A_DAY_HAS_ENDED.since(AutomationCondition.newly_requested())

MATERIALIZE_ONLINE = (
    _CHANGED_OR_DAY_HAS_ENDED.with_label("a source changed, or a day ended, since the last request")
    & ~AutomationCondition.in_progress()
)
"""The condition of `features/online`. It waits for no run of its sources, which may take minutes:
a change during a pass is requested again. What a day adds is known at its end, so that is a change
too."""
