"""Mutations of the days: items 1 and 2, backfills and conservation."""

from __future__ import annotations

from tests.mutation.case import Case

_PLAN = "tests/unit/operate/test_backfill_plan.py::test_"
_GRAPH = "tests/e2e/graph/test_definitions.py::test_"
_DAYS = "tests/integration/pipeline/test_making_days_anew.py::test_"
_LOST = "tests/integration/quality/test_a_lost_row_is_found.py::test_"
_RECORDED = "tests/integration/quality/test_recorded_days.py::test_"
_BY_DAY = "tests/integration/quality/test_invariants_by_day.py::test_"
_INVARIANTS = "tests/unit/quality/test_invariants.py::test_"
_SINGLE = "BackfillPolicy.single_run()"

BACKFILLS = (
    Case(
        "5.1 backfills",
        "a backfill of some assets makes all",
        "social_assets/operate/runs/start.py",
        "selected=selected, then=then",
        "selected=None, then=then",
        f"{_PLAN}a_run_has_the_days_of_its_range_and_the_assets_named",
    ),
    Case(
        "5.1 backfills",
        "a run leaves the last day of its range out",
        "social_assets/operate/runs/start.py",
        "tags = range_tags(first, last)",
        "tags = range_tags(first, first)",
        f"{_PLAN}a_run_has_the_days_of_its_range_and_the_assets_named",
    ),
    Case(
        "5.1 backfills",
        "a backfill makes the first of its ranges alone",
        "social_assets/cli/main.py",
        "for begin, until in plan.runs:",
        "for begin, until in plan.runs[:1]:",
        f"{_PLAN}each_unbroken_range_is_one_run_of_the_assets_named",
    ),
    *(
        Case(
            "5.1 backfills",
            f"a range of days is a run for each day: {file.rpartition('/')[2]}",
            file,
            f"backfill_policy={_SINGLE},",
            "backfill_policy=BackfillPolicy.multi_run(1),",
            f"{_GRAPH}a_range_of_days_is_one_run_of_every_asset_that_is_made_by_day",
        )
        for file in (
            "social_assets/defs/ingestion/cleaned.py",
            "social_assets/defs/warehouse/dbt_layers.py",
        )
    ),
    Case(
        "5.1 backfills",
        "days that follow each other are several runs",
        "social_assets/defs/partitions.py",
        "ranges[-1][1] + timedelta(days=1) == day",
        "ranges[-1][1] == day",
        "tests/unit/defs/test_day_partitions.py::test_unbroken_days_are_one_run",
    ),
    Case(
        "5.1 backfills",
        "the lake's day is emptied in one commit and filled in another",
        "social_assets/lake/delta.py",
        """            table.create_write_transaction(
                [*files],
                mode="overwrite",
                schema=table.schema(),
                partition_by=list(self.partition_by),
                partition_filters""",
        """            listed = ", ".join(f"'{day}'" for day in replaced)
            self._created().delete(f"event_date IN ({listed})")
            self._created().create_write_transaction(
                [*files],
                mode="append",
                schema=table.schema(),
                partition_by=list(self.partition_by),
                partition_filters""",
        "tests/integration/lake/test_replacing_days.py::test_a_range_of_days_changes_in_one_commit",
    ),
    Case(
        "5.1 backfills",
        "the warehouse's day is dropped first and then filled",
        "social_assets/warehouse/loader.py",
        """f"ALTER TABLE {self.table} REPLACE PARTITION '{day}' FROM {staging}"
""",
        """f"ALTER TABLE {self.table} DROP PARTITION '{day}'"
                    )
                    client.command(
                        f"ALTER TABLE {self.table} ATTACH PARTITION '{day}' FROM {staging}"
""",
        f"{_DAYS}readers_see_a_day_as_it_was_or_as_it_is_and_nothing_between",
    ),
    Case(
        "5.1 backfills",
        "a rebuild does not wait for a load or drain of the stream",
        "social_assets/pipeline/stream_work.py",
        """    with stores.lock():
        stores.in_force.check_complete()
        recover(stores, leave=frozenset(days))
""",
        """    with ExitStack():
        stores.in_force.check_complete()
        recover(stores, leave=frozenset(days))
""",
        f"{_DAYS}a_rebuild_waits_for_whoever_works_on_the_stream",
    ),
    Case(
        "5.1 backfills",
        "rows come in while facts are made anew behind them",
        "social_assets/pipeline/stream_work.py",
        "            locks.enter_context(stores.lock())\n            recover(stores)\n",
        "            recover(stores)\n",
        f"{_DAYS}a_held_stream_is_recovered_and_no_other_run_can_take_it",
    ),
    Case(
        "5.1 backfills",
        "facts are made anew from a stream with pending batches",
        "social_assets/pipeline/stream_work.py",
        "            locks.enter_context(stores.lock())\n            recover(stores)\n",
        "            locks.enter_context(stores.lock())\n",
        f"{_DAYS}a_held_stream_is_recovered_and_no_other_run_can_take_it",
    ),
    Case(
        "5.1 backfills",
        "a rebuild takes no place in its stream's pool",
        "social_assets/defs/ingestion/cleaned.py",
        '        pool=f"stream_{contract.name}",\n',
        "",
        f"{_GRAPH}what_writes_to_a_stream_takes_its_place_in_the_streams_pool",
    ),
    Case(
        "5.1 backfills",
        "what a killed rebuild has swapped is inserted once more",
        "social_assets/pipeline/stream_work.py",
        "if is_cleaned and is_begun:",
        "if is_cleaned and not is_begun:",
        "tests/integration/pipeline/test_loading_files.py"
        "::test_a_rebuild_cut_short_after_its_swap_is_not_inserted_on_top",
    ),
    *(
        Case(
            "5.1 backfills",
            f"of a killed command {what}",
            "social_assets/operate/runs/cli_run_lock.py",
            old,
            new,
            "tests/integration/operate/test_cli_run_lock.py"
            "::test_the_run_of_a_killed_command_is_ended_by_the_next_and_its_pool_is_free",
        )
        for what, old, new in (
            ("the run goes on for ever", "instance.report_run_failed(run, ABANDONED)", "pass"),
            (
                "the place in the pool stays taken",
                "instance.event_log_storage.free_concurrency_slots_for_run(mark.stem)",
                "pass",
            ),
        )
    ),
    Case(
        "5.1 backfills",
        "a dry run runs",
        "social_assets/cli/main.py",
        'partitions")\n        return\n',
        'partitions")\n',
        f"{_PLAN}a_dry_run_shows_the_plan_and_runs_nothing",
    ),
    *(
        Case(
            "5.1 backfills",
            f"the plan does not say {what}",
            "social_assets/operate/runs/backfill_plan.py",
            old,
            new,
            f"{_PLAN}{test}",
        )
        for what, old, new, test in (
            (
                "how many partitions there are",
                "return days * len(self.swaps)",
                "return len(self.swaps)",
                "partitions_are_days_of_all_runs_times_assets",
            ),
            (
                "how many rows there are now",
                "sum(rows[day] for day in before)",
                "0",
                "rows_are_told_of_the_days_asked_for_now_and_in_the_sources",
            ),
            (
                "how many rows the sources have",
                "n for each in sources for day, n in",
                "0 for each in sources for day, n in",
                "rows_are_told_of_the_days_asked_for_now_and_in_the_sources",
            ),
            (
                "what would be emptied",
                "tuple(sorted(before - filled[key] - expired[key]))",
                "()",
                "a_day_that_lost_its_source_is_emptied_and_so_is_all_behind_it",
            ),
            (
                "what would be refused",
                "tuple(sorted(days & expired[key]))",
                "()",
                "a_day_that_lost_its_source_to_retention_is_refused_and_not_emptied",
            ),
        )
    ),
    Case(
        "5.1 backfills",
        "a day whose source became empty stays as it was in the loader's table",
        "social_assets/warehouse/loader.py",
        "elif day in present:",
        "elif day in filled:",
        f"{_DAYS}a_day_whose_raw_became_empty_is_emptied_in_lake_and_warehouse",
    ),
    Case(
        "5.1 backfills",
        "a day whose source became empty stays as it was in facts and rollups",
        "dbt/macros/warehouse/daily_partitions.sql",
        "            and table = '{{ table.identifier }}'\n        union all",
        "            and table = '{{ staging.identifier }}'\n        union all",
        "tests/integration/warehouse/test_warehouse_speed_and_batch.py"
        "::test_a_day_that_became_empty_is_dropped_and_days_out_of_range_stay",
    ),
)

CONSERVATION = (
    *(
        Case(
            "5.2 conservation",
            what,
            "social_assets/quality/invariants.py",
            old,
            new,
            f"{_LOST}{test}",
        )
        for what, old, new, test in (
            (
                "raw = cleaned + quarantine is not checked",
                "        *(RawIsAccountedFor(each) for each in contracts()),\n",
                "",
                "a_row_lost_in_quarantine",
            ),
            (
                "quarantine is not counted",
                "cleaned.get(day, 0) + quarantine.get(day, 0)",
                "cleaned.get(day, 0)",
                "a_row_lost_on_its_way_into_cleaned_breaks_one_invariant",
            ),
            (
                "lake = warehouse is not checked",
                "        *(LakeEqualsWarehouse(each) for each in contracts()),\n",
                "",
                "a_row_lost_on_its_way_into_the_warehouse_breaks_one_invariant",
            ),
            (
                "fact = source is not checked",
                "        *(_of_fact(project, fact) for fact in facts),\n",
                "",
                "a_row_lost_in_a_fact",
            ),
            (
                "rollup = facts is not checked of one rollup",
                'for rollup in project.tables("rollups")),',
                'for rollup in project.tables("rollups")[1:]),',
                "every_stream_fact_and_rollup_has_its_invariant_and_all_hold",
            ),
            (
                "of a rollup, counts are compared and sums are not",
                "len(by_fact) in (0, len(facts))",
                "not by_fact",
                "every_sum_of_a_rollup_is_compared",
            ),
        )
    ),
    *(
        Case(
            "5.2 conservation",
            what,
            f"social_assets/defs/monitoring/{file}.py",
            old,
            new,
            test,
        )
        for file, what, old, new, test in (
            (
                "invariant_results",
                "days that differ pass where their sums agree",
                "passed=not broken and not elsewhere,",
                "passed=0 == sum(c.one[0] - c.other[0] for c in comparisons),",
                f"{_INVARIANTS}a_row_moved_to_another_day_breaks_the_invariant_though_the_sums_agree",
            ),
            (
                "invariant_checks",
                "a run of a range records its summary alone",
                "            record(context.op_execution_context, (*of_days, *not_compared))\n",
                "",
                f"{_BY_DAY}a_run_of_a_range_records_each_day_of_it_beside_the_summary_and_leaves_none_skipped",
            ),
            (
                "invariant_checks",
                "invariants are not checked by day",
                "                partitions_def=daily(),\n",
                "",
                f"{_GRAPH}invariants_are_checked_by_day",
            ),
        )
    ),
    Case(
        "5.2 conservation",
        "work in progress counts as lost",
        "social_assets/quality/day_comparison.py",
        "            locks.enter_context(stores.of(contract(stream)).lock())\n",
        "            stores.of(contract(stream)).lock()\n",
        f"{_LOST}work_in_progress_is_waited_for",
    ),
    Case(
        "5.2 conservation",
        "a load does not check the days that it changed",
        "social_assets/defs/ingestion/jobs/load_job.py",
        "report_days(context.instance, stream, ingested.days)",
        "report_days(context.instance, stream, [])",
        f"{_BY_DAY}a_load_records_every_invariant_that_its_rows_take_part_in_on_the_days_it_changed",
    ),
    Case(
        "5.2 conservation",
        "a drain does not check the days that it changed",
        "social_assets/defs/ingestion/jobs/drain_job.py",
        "report_days(context.instance, stream, taken_days.days)",
        "report_days(context.instance, stream, [])",
        "tests/e2e/graph/test_kafka_sensor.py"
        "::test_a_run_records_exactly_the_days_it_changed_and_the_sensor_then_rests",
    ),
    Case(
        "5.2 conservation",
        "at night some invariants are left out",
        "social_assets/defs/monitoring/verification.py",
        "    for invariant in invariants():\n",
        "    for invariant in invariants()[:10]:\n",
        f"{_BY_DAY}a_night_compares_every_invariant_on_every_day_with_rows",
    ),
    Case(
        "5.2 conservation",
        "nothing is checked at night",
        "social_assets/defs/monitoring/verification.py",
        "            default_status=DefaultScheduleStatus.RUNNING,\n",
        "",
        f"{_GRAPH}what_comes_at_night_and_what_watches_starts_switched_on",
    ),
    Case(
        "5.2 conservation",
        "an answer's days hold though they were written since they were compared",
        "social_assets/warehouse/compared_days.py",
        "        elif day not in changed and state == states.of(counted, day):\n",
        "        elif day not in changed:\n",
        f"{_RECORDED}a_day_that_has_changed_since_it_was_compared_is_not_checked",
    ),
    Case(
        "5.2 conservation",
        "the states are read after the comparison",
        "social_assets/quality/recorded_days.py",
        "    yield compared\n    with stores.clickhouse.client(comment) as client:\n",
        "    yield compared\n    with stores.clickhouse.client(comment) as client:\n"
        "        states = partition_states(client, tables)\n",
        f"{_RECORDED}a_day_that_changes_during_the_comparison_is_not_checked",
    ),
)

CASES: tuple[Case, ...] = (*BACKFILLS, *CONSERVATION)
