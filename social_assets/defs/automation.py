"""When the days of a partitioned asset are made anew without anyone asking.

Here belongs the condition that cleaned, quarantine, facts, dimensions and rollups share. Who
evaluates it is `sensors.automation`; the recommenders have conditions of their own.
"""

from __future__ import annotations

from dagster import AutomationCondition

from resources.dagster.private import MAX_RETRIES_TAG

RETRIES = {MAX_RETRIES_TAG: "2"}
"""The run tag of rebuilds: the daemon runs one that failed so many times again, from the step that
failed. After that it stands as an alert and in `no_partition_left_failed`.
"""

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
"""A day is asked for once after a source changed on that day, however old it is; all layers behind
are asked for with it, as one run.

Not `eager()`: it looks at the newest day alone, and asks for every day that nothing happened on.
Not `since_last_handled()` either: Dagster 1.13 compares the times of two events between two looks
only where no boolean stands between them and `since`; else a source that changed after the request,
but before the next look, is lost.

Quiet, since loads and drains record a day of raw, then cleaned, then the facts that their views
have brought up to date already: a look in between sees facts that are late by a moment.
"""
