"""When days of a partitioned asset are rebuilt automatically.

Belongs here: the condition that cleaned, quarantine, facts, dimensions and rollups share. The
sensor `sensors.automation` evaluates it. The recommenders have their own conditions.
"""

from __future__ import annotations

from dagster import AutomationCondition

from resources.dagster.private import MAX_RETRIES_TAG

RETRIES = {MAX_RETRIES_TAG: "2"}
"""The run tag of rebuilds: the daemon repeats a failed run up to so many times, from the failed
step. After that it is an active alert, and fails `no_partition_left_failed`."""

_SOURCE_CHANGED = AutomationCondition.any_deps_match(AutomationCondition.newly_updated())

REBUILD_CHANGED_DAYS = (
    (
        _SOURCE_CHANGED.since(AutomationCondition.newly_updated())
        & _SOURCE_CHANGED.since(AutomationCondition.newly_requested())
        & ~_SOURCE_CHANGED
    ).with_label("a source changed, and now is quiet")
    | AutomationCondition.any_deps_match(AutomationCondition.will_be_requested())
) & (~AutomationCondition.any_deps_in_progress() & ~AutomationCondition.in_progress()).with_label(
    "nobody is at it"
)
"""A day is requested once after a source has changed on that day, however old it is. All later
layers are requested with it, as one run.

`eager()` does not fit: it considers only the newest day, and requests every day without events.
`since_last_handled()` does not fit either: Dagster 1.13 compares the times of two events between
two evaluations only if no boolean operator stands between them and `since`. Otherwise a source that
changed after the request and before the next evaluation is lost.

The condition waits for a pause, because loads and drains record a day of raw, then of cleaned, then
of the facts that their views have updated already: an evaluation in between would see facts as
outdated."""
