"""Mutations of the checks: items 3 and 4, contracts and freshness."""

from __future__ import annotations

from tests.mutation.case import Case

_GRAPH = "tests/e2e/graph/test_definitions.py::test_"
_INVARIANTS = "tests/unit/quality/test_invariants.py::test_"
_DRIFT = "tests/unit/quality/test_drift_results.py::test_"
_SCHEMA = "tests/unit/quality/test_source_schema_results.py::test_"
_RULES = "tests/integration/pipeline/test_rejected_by_rule.py::test_"
_PARTITIONS = "tests/integration/defs/test_partition_checks.py::test_"

CONTRACT_CHECKS = (
    Case(
        "5.3 contract checks",
        "of several reasons the first alone counts",
        "social_assets/quality/rejected_counts.py",
        "rule=rejected.reasons.unnest()",
        "rule=rejected.reasons[0]",
        f"{_RULES}each_reason_of_a_record_counts_for_its_rule_as_a_share_of_the_days_raw_records",
    ),
    *(
        Case(
            "5.3 contract checks",
            what,
            "social_assets/defs/ingestion/checks/rule_results.py",
            old,
            new,
            test,
        )
        for what, old, new, test in (
            (
                "few rejected records do not warn",
                "passed=broken.worst_share <= contract.warn_above or",
                "passed=broken.worst_share <= contract.fail_above or",
                f"{_INVARIANTS}one_rejected_record_warns_and_many_are_an_error",
            ),
            (
                "many rejected records only warn",
                "severe = broken.worst_share > contract.fail_above",
                "severe = False",
                f"{_INVARIANTS}one_rejected_record_warns_and_many_are_an_error",
            ),
            (
                "of several reasons the first alone has a sample",
                "rule=rejected.reasons.unnest()",
                "rule=rejected.reasons[0]",
                f"{_RULES}the_sample_shows_the_record_and_where_it_came_from",
            ),
            (
                "a share is of all days and not of the day's records",
                "records / raw[day]",
                "records / sum(raw.values())",
                f"{_RULES}each_reason_of_a_record_counts_for_its_rule_as_a_share_of_the_days_raw"
                "_records",
            ),
            (
                "no sample of the rejected records is shown",
                "sample=samples.get(rule, ())",
                "sample=()",
                f"{_RULES}the_sample_shows_the_record_and_where_it_came_from",
            ),
        )
    ),
    *(
        Case(
            "5.3 contract checks",
            what,
            "social_assets/quality/drift.py",
            old,
            new,
            f"{_DRIFT}a_shift_warns_by_exactly_its_check",
        )
        for what, old, new in (
            ("volume does not drift", "1.0 if is_usual else factor", "1.0"),
            ("shares of nulls do not drift", "*_missing(today, before), *", "*"),
            ("shares of categories do not drift", ", *_categories(today, before)]", "]"),
            (
                "quantiles do not drift",
                "        measures += _quantiles(today, before)\n",
                "",
            ),
        )
    ),
    Case(
        "5.3 contract checks",
        "what chance explains is drift",
        "social_assets/quality/drift.py",
        "abs(now - usual) - chance",
        "abs(now - usual)",
        f"{_DRIFT}what_chance_explains_is_no_drift",
    ),
    Case(
        "5.3 contract checks",
        "a great shift only warns",
        "social_assets/defs/ingestion/checks/drift_checks.py",
        "severe = any(m.change > limits.fail_above for m in drifted)",
        "severe = False",
        f"{_DRIFT}a_great_shift_is_an_error_of_exactly_its_check",
    ),
    Case(
        "5.3 contract checks",
        "the column that drifted is not shown",
        "social_assets/defs/ingestion/checks/drift_checks.py",
        '"column": measure.column or "(rows)",',
        '"column": "(rows)",',
        f"{_DRIFT}the_table_names_column_measure_both_figures_and_result",
    ),
    *(
        Case(
            "5.3 contract checks",
            what,
            "social_assets/defs/ingestion/checks/source_schema_checks.py",
            old,
            new,
            test,
        )
        for what, old, new, test in (
            (
                "a field that nobody reads is passed over",
                "            unknown[field] = records\n",
                "            pass\n",
                f"{_SCHEMA}an_unknown_field_warns_with_its_share_an_example_and_a_plan",
            ),
            (
                "a column that comes no more is passed over",
                "fields.records - present[c.name] > MISSING_ABOVE * fields.records",
                "fields.records - present[c.name] > fields.records",
                f"{_SCHEMA}a_column_that_nearly_all_records_lack_warns_and_names_its_default",
            ),
            (
                "a required column that is gone only warns",
                "plan, is_severe=is_required)",
                "plan)",
                f"{_SCHEMA}a_required_column_that_is_gone_is_an_error_since_its_records_are_rejected",
            ),
            (
                "the plan knows no renamed field",
                'return by_key[near[0]] if near else ""',
                'return ""',
                f"{_SCHEMA}a_renamed_field_is_recognised_on_both_sides",
            ),
        )
    ),
    Case(
        "5.3 contract checks",
        "nobody looks at the source's fields",
        "social_assets/locations/batch.py",
        "    source_schema,\n)",
        ")",
        "tests/e2e/test_runbook.py::test_the_runbook_says_of_every_check_what_to_do",
    ),
)

FRESHNESS = (
    Case(
        "5.4 freshness",
        "a day that stays away does not fail",
        "social_assets/defs/ingestion/checks/freshness_checks.py",
        "severe = late > freshness.fail_after",
        "severe = False",
        f"{_INVARIANTS}days_that_stay_away_warn_then_fail",
    ),
    Case(
        "5.4 freshness",
        "cleaned never grows stale in Dagster",
        "social_assets/defs/ingestion/cleaned.py",
        "        freshness_policy=freshness_policy(contract),\n",
        "",
        f"{_GRAPH}the_assets_of_a_stream_grow_stale_as_its_contract_says",
    ),
    Case(
        "5.4 freshness",
        "the lag of a topic fails nothing",
        "social_assets/defs/ingestion/checks/topic_checks.py",
        "passed=lag <= contract.lag_warn_above,",
        "passed=True,",
        "tests/e2e/graph/test_topic_checks.py::test_the_contract_says_which_lag_warns_and_which_fails",
    ),
    *(
        Case(
            "5.4 freshness",
            what,
            "social_assets/defs/monitoring/partition_checks.py",
            old,
            new,
            f"{_PARTITIONS}{test}",
        )
        for what, old, new, test in (
            (
                "a partition left failed is passed over",
                "if run_id in failed}",
                "if run_id not in failed}",
                "a_range_that_failed_leaves_its_partitions_failed_until_they_are_made",
            ),
            (
                "a partition behind its source is passed over",
                "if newest[day] > own.get(day, 0):",
                "if day not in own:",
                "a_source_materialized_later_leaves_its_followers_behind_on_those_days",
            ),
            (
                "a day without rows between others is passed over",
                "        if day not in held\n",
                "        if day not in held and day > max(held, default=day)\n",
                "a_day_between_others_without_rows_warns_then_fails",
            ),
            (
                "a day that is long without rows only warns",
                "severe = any(by > limits.fail_after for by in late.values())",
                "severe = False",
                "a_day_between_others_without_rows_warns_then_fails",
            ),
        )
    ),
)

CASES: tuple[Case, ...] = (*CONTRACT_CHECKS, *FRESHNESS)
