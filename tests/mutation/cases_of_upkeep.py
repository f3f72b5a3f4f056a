"""Mutations of the upkeep: items 6 and 7, automation and maintenance."""

from __future__ import annotations

from tests.mutation.case import Case

_AUTOMATION = "tests/e2e/graph/test_automation.py::test_"
_GRAPH = "tests/e2e/graph/test_definitions.py::test_"
_TABLE = "tests/integration/lake/test_table_maintenance.py::test_"
_STREAM = "tests/integration/pipeline/test_maintaining_a_stream.py::test_"
_RUNS = "tests/integration/defs/test_run_history.py::test_"
_KEPT = "tests/unit/defs/test_days_kept.py::test_"


def _cases(item: str, *taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [Case(item, what, file, old, new, test) for what, file, old, new, test in taken_away]


AUTOMATION = _cases(
    "5.6 automation",
    (
        "late days are asked for again and again",
        "social_assets/defs/automation.py",
        "        & _SOURCE_CHANGED.since(AutomationCondition.newly_requested())\n",
        "",
        f"{_AUTOMATION}late_days_are_asked_for_once_in_each_layer_behind_them",
    ),
    (
        "days are asked for while somebody makes them",
        "social_assets/defs/automation.py",
        "~AutomationCondition.any_deps_in_progress() & ~AutomationCondition.in_progress()",
        "~AutomationCondition.missing() | AutomationCondition.missing()",
        f"{_AUTOMATION}days_that_somebody_is_at_are_not_asked_for_before_he_ends",
    ),
    (
        "what is behind a day that is made anew is left out",
        "social_assets/defs/automation.py",
        "any_deps_match(AutomationCondition.will_be_requested())",
        "any_deps_match(AutomationCondition.missing() & ~AutomationCondition.missing())",
        f"{_AUTOMATION}late_days_are_asked_for_once_in_each_layer_behind_them",
    ),
    (
        "texts of expired days stay",
        "social_assets/pipeline/maintain.py",
        '        freed["texts"] = _expire_texts(stores, limit)\n',
        '        freed["texts"] = Freed()\n',
        "tests/integration/pipeline/test_maintaining_a_stream.py::test_what_was_made_of_texts_goes"
        "_with_the_cleaned_day",
    ),
    (
        "texts wait for a pause of their stream",
        "social_assets/defs/automation.py",
        "    _SOURCE_CHANGED.since(AutomationCondition.newly_requested()).with_label(",
        "    (_SOURCE_CHANGED.since(AutomationCondition.newly_requested()) & ~_SOURCE_CHANGED)"
        ".with_label(",
        f"{_AUTOMATION}texts_of_a_stream_that_never_pauses_are_scored",
    ),
    (
        "a change during a run counts as scored by it",
        "social_assets/defs/automation.py",
        "    _SOURCE_CHANGED.since(AutomationCondition.newly_requested()).with_label(",
        "    _SOURCE_CHANGED.since(AutomationCondition.newly_updated()).with_label(",
        f"{_AUTOMATION}texts_that_come_while_others_are_scored_are_scored_after_them",
    ),
    (
        "what a drain has recorded is asked for",
        "social_assets/defs/automation.py",
        "        & ~_SOURCE_CHANGED\n",
        "",
        f"{_AUTOMATION}facts_that_a_drain_records_a_moment_after_raw_are_not_asked_for",
    ),
    (
        "quarantine has a condition, which drains that reject nothing meet",
        "social_assets/defs/ingestion/cleaned.py",
        "        # No condition: it is made with cleaned; a drain that rejects nothing leaves"
        " it.\n",
        "        automation_condition=REBUILD_CHANGED_DAYS,\n",
        f"{_AUTOMATION}facts_that_a_drain_records_a_moment_after_raw_are_not_asked_for",
    ),
    (
        "rebuilds that fail are tried again without a bound",
        "social_assets/defs/automation.py",
        'RETRIES = {MAX_RETRIES_TAG: "2"}',
        'RETRIES = {MAX_RETRIES_TAG: "1000"}',
        f"{_GRAPH}a_rebuild_that_fails_is_tried_twice_again_and_nothing_else_is",
    ),
    (
        "rebuilds that fail are not tried again",
        "sensors/automation.py",
        "        run_tags=RETRIES,\n",
        "",
        f"{_GRAPH}a_rebuild_that_fails_is_tried_twice_again_and_nothing_else_is",
    ),
    (
        "Dagster tries nothing again",
        "docker/dagster.yaml",
        "run_retries:\n  enabled: true\n",
        "run_retries:\n  enabled: false\n",
        f"{_GRAPH}a_rebuild_that_fails_is_tried_twice_again_and_nothing_else_is",
    ),
    (
        "the conditions start switched off",
        "sensors/automation.py",
        "        default_status=DefaultSensorStatus.RUNNING,\n",
        "",
        f"{_GRAPH}what_comes_at_night_and_what_watches_starts_switched_on",
    ),
)

MAINTENANCE = _cases(
    "5.7 maintenance",
    (
        "files are not brought together",
        "social_assets/lake/maintenance.py",
        "    compact(table)\n    swept",
        "    swept",
        f"{_TABLE}files_given_up_stay_as_long_as_a_query_may_take",
    ),
    (
        "dead files stay",
        "social_assets/lake/maintenance.py",
        "swept = _sweep(table)",
        "swept = Freed()",
        f"{_TABLE}files_given_up_long_ago_are_deleted_and_counted",
    ),
    (
        "files that a query may still read are deleted",
        "social_assets/lake/maintenance.py",
        "    hours = GIVEN_UP_KEPT_HOURS\n",
        "    hours = 0\n",
        f"{_TABLE}files_given_up_stay_as_long_as_a_query_may_take",
    ),
    *(
        (
            f"the retention of {layer} is not kept",
            "social_assets/pipeline/maintain.py",
            f'"{layer}": retention.{layer}_days,',
            f'"{layer}": None,',
            f"{_STREAM}a_day_beyond_its_time_goes_from_its_layer_alone_and_is_recorded",
        )
        for layer in ("raw", "cleaned", "quarantine")
    ),
    (
        "rollups are kept as long as facts",
        "social_assets/defs/maintenance/nightly.py",
        'each.retention.rollups_days if layer == "rollups" else each.retention.facts_days',
        "each.retention.facts_days",
        f"{_KEPT}a_fact_is_kept_as_facts_are_and_a_rollup_as_rollups",
    ),
    (
        "a fact goes though one of its streams keeps it",
        "social_assets/defs/maintenance/nightly.py",
        "None if None in of_streams else max(of_streams",
        "None if None in of_streams else min(of_streams",
        f"{_KEPT}of_several_streams_the_one_that_keeps_longest_counts",
    ),
    (
        "ClickHouse drops no days",
        "social_assets/pipeline/maintain.py",
        "        drop_days(client, table, days)\n",
        "",
        f"{_STREAM}a_warehouse_table_drops_the_days_before_the_limit",
    ),
    (
        "old runs stay in Dagster's records",
        "social_assets/defs/maintenance/run_history.py",
        "            instance.delete_run(run_id)\n",
        "",
        f"{_RUNS}a_run_whose_partitions_were_made_again_goes_and_its_files_with_it",
    ),
    (
        "a run by which a partition is known is deleted",
        "social_assets/defs/maintenance/run_history.py",
        "        if run_id not in needed:\n",
        "        if run_id:\n",
        f"{_RUNS}every_partition_stays_known",
    ),
    (
        "what was freed is not said",
        "social_assets/lake/maintenance.py",
        "bytes_freed=sum(each.size or 0 for each in found)",
        "bytes_freed=0",
        f"{_TABLE}files_given_up_long_ago_are_deleted_and_counted",
    ),
    (
        "what was freed is not in the metadata",
        "social_assets/defs/maintenance/nightly.py",
        '    return {**figures, "tables": Value.table(rows)} if rows else figures\n',
        "    return {}\n",
        f"{_STREAM}what_a_night_freed_is_in_the_metadata_of_its_asset",
    ),
    (
        "a check takes a day that retention removed for lost",
        "social_assets/quality/day_comparison.py",
        "for day in sorted(asked - expired)",
        "for day in sorted(asked)",
        "tests/integration/quality/test_a_lost_row_is_found.py"
        "::test_a_day_that_retention_removed_is_not_validated",
    ),
    (
        "what retention removes is not recorded",
        "social_assets/pipeline/maintain.py",
        'record(f"{layer}/{stores.name}", expired)',
        'record(f"{layer}/{stores.name}", {})',
        f"{_STREAM}a_day_beyond_its_time_goes_from_its_layer_alone_and_is_recorded",
    ),
    (
        "cleaned is emptied of a day that raw has lost to retention",
        "social_assets/defs/ingestion/cleaned.py",
        '        stores.stores().lake.expired_days().refuse([f"raw/{contract.name}"], days)\n',
        "",
        f"{_STREAM}a_run_that_asks_for_a_day_whose_raw_is_gone_fails_and_changes_nothing",
    ),
    (
        "a fact is emptied of a day that cleaned has lost to retention",
        "social_assets/defs/warehouse/dbt_layers.py",
        "        stores.stores().lake.expired_days().refuse(refused, dates)\n",
        "",
        "tests/integration/warehouse/test_warehouse_layers.py"
        "::test_a_fact_is_not_made_anew_of_a_day_that_its_source_has_lost_to_retention",
    ),
    (
        "nobody maintains at night",
        "social_assets/defs/maintenance/nightly.py",
        "    default_status=DefaultScheduleStatus.RUNNING,\n",
        "",
        f"{_GRAPH}what_comes_at_night_and_what_watches_starts_switched_on",
    ),
)

CASES: tuple[Case, ...] = (*AUTOMATION, *MAINTENANCE)
