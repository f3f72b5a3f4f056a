"""What `bench.proof` takes away of items 6 to 8: automation, maintenance, operations."""

from __future__ import annotations

from bench.proof_case import Case

_AUTOMATION = "tests/graph/test_automation.py::test_"
_GRAPH = "tests/graph/test_definitions.py::test_"
_TABLE = "tests/integration/lake/test_table_maintenance.py::test_"
_STREAM = "tests/integration/hops/test_maintaining_a_stream.py::test_"
_RUNS = "tests/integration/defs/test_run_history.py::test_"
_KEPT = "tests/unit/defs/test_days_kept.py::test_"
_DOCTOR = "tests/integration/operate/test_doctor.py::test_"
_KINDS = "tests/unit/resources/test_environments.py::test_"
_LINES = "tests/unit/resources/test_log_lines.py::test_"
_SECRETS = "tests/graph/test_secrets_stay_in_the_environment.py::test_"
_HOP = "tests/unit/hops/test_hop_log.py::test_"
_RUNBOOK = "tests/graph/test_runbook.py::test_"


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
        "    | AutomationCondition.any_deps_match(AutomationCondition.will_be_requested())\n",
        "",
        f"{_AUTOMATION}late_days_are_asked_for_once_in_each_layer_behind_them",
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
        "social_assets/defs/cleaned.py",
        "        # Without a condition: it is made with cleaned, and a drain that rejects nothing"
        " leaves it.\n",
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
            "social_assets/hops/maintain.py",
            f'"{layer}": retention.{layer}_days,',
            f'"{layer}": None,',
            f"{_STREAM}a_day_beyond_its_time_goes_from_its_layer_alone_and_is_recorded",
        )
        for layer in ("raw", "cleaned", "quarantine")
    ),
    (
        "rollups are kept as long as facts",
        "social_assets/defs/maintenance.py",
        'each.retention.facts_days if layer == "star" else each.retention.rollups_days',
        "each.retention.facts_days",
        f"{_KEPT}a_fact_is_kept_as_facts_are_and_a_rollup_as_rollups",
    ),
    (
        "a fact goes though one of its streams keeps it",
        "social_assets/defs/maintenance.py",
        "None if None in of_streams else max(of_streams",
        "None if None in of_streams else min(of_streams",
        f"{_KEPT}of_several_streams_the_one_that_keeps_longest_counts",
    ),
    (
        "ClickHouse drops no days",
        "social_assets/hops/maintain.py",
        "        drop_days(client, table, days)\n",
        "",
        f"{_STREAM}a_warehouse_table_drops_the_days_before_the_limit",
    ),
    (
        "old runs stay in Dagster's records",
        "social_assets/defs/run_history.py",
        "            instance.delete_run(run_id)\n",
        "",
        f"{_RUNS}a_run_whose_partitions_were_made_again_goes_and_its_files_with_it",
    ),
    (
        "a run by which a partition is known is deleted",
        "social_assets/defs/run_history.py",
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
        "social_assets/defs/maintenance.py",
        '    return {**figures, "tables": Value.table(rows)} if rows else figures\n',
        "    return {}\n",
        f"{_STREAM}what_a_night_freed_is_in_the_metadata_of_its_asset",
    ),
    (
        "a check takes a day that retention removed for lost",
        "social_assets/checks/conservation.py",
        "for day in sorted(asked - retired)",
        "for day in sorted(asked)",
        "tests/integration/checks/test_a_lost_row_is_found.py"
        "::test_a_day_that_retention_removed_is_not_judged",
    ),
    (
        "what retention removes is not recorded",
        "social_assets/hops/maintain.py",
        'record(f"{layer}/{stores.contract.name}", expired)',
        'record(f"{layer}/{stores.contract.name}", {})',
        f"{_STREAM}a_day_beyond_its_time_goes_from_its_layer_alone_and_is_recorded",
    ),
    (
        "cleaned is emptied of a day that raw has lost to retention",
        "social_assets/defs/cleaned.py",
        '        stores.stores().lake.retired().refuse([f"raw/{contract.name}"], days)\n',
        "",
        f"{_STREAM}a_run_that_asks_for_a_day_whose_raw_is_gone_fails_and_changes_nothing",
    ),
    (
        "a fact is emptied of a day that cleaned has lost to retention",
        "social_assets/defs/dbt_assets.py",
        "        stores.stores().lake.retired().refuse(refused, dates)\n",
        "",
        "tests/integration/warehouse/test_warehouse_deployment.py"
        "::test_a_fact_is_not_made_anew_of_a_day_that_its_source_has_lost_to_retention",
    ),
    (
        "nobody maintains at night",
        "social_assets/defs/maintenance.py",
        "    default_status=DefaultScheduleStatus.RUNNING,\n",
        "",
        f"{_GRAPH}what_comes_at_night_and_what_watches_starts_switched_on",
    ),
)

_FINDINGS = tuple(
    (f"the doctor does not see {what}", f"social_assets/operate/{file}.py", old, new, test)
    for what, file, old, new, test in (
        (
            "a variable that nothing reads",
            "doctor_settings",
            "    for name, meant in unknown().items():\n",
            "    for name, meant in ():\n",
            f"{_DOCTOR}a_misspelt_variable_is_named_with_the_right_one",
        ),
        (
            "an old package",
            "doctor_machine",
            "if not requirement.specifier.contains(installed, prereleases=True):",
            "if not installed:",
            f"{_DOCTOR}an_old_or_missing_package_is_named",
        ),
        (
            "a full disk",
            "doctor_machine",
            "if free < FAIL_FREE_BYTES:",
            "if free < 0:",
            f"{_DOCTOR}a_full_disk_is_named",
        ),
        (
            "a clock that went back",
            "doctor_machine",
            "if newest - now > CLOCK_SECONDS:",
            "if now - newest < 0:",
            f"{_DOCTOR}a_clock_that_went_back_is_named",
        ),
        (
            "a password that others can read",
            "doctor_machine",
            "stat.S_IMODE(secret.stat().st_mode) & 0o077:",
            "stat.S_IMODE(secret.stat().st_mode) & 0o002:",
            f"{_DOCTOR}a_password_that_others_can_read_is_named",
        ),
        (
            "an old ClickHouse",
            "doctor_services",
            "OLDEST_CLICKHOUSE = (25, 8)",
            "OLDEST_CLICKHOUSE = (20, 8)",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a ClickHouse user without rights",
            "doctor_services",
            "        yield from _rights(client, endpoint)\n",
            "",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a ClickHouse in another time",
            "doctor_services",
            "        yield from _clock(client)\n",
            "",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a Kafka that is away",
            "doctor",
            '    ("Kafka", doctor_services.kafka),\n',
            "",
            f"{_DOCTOR}a_kafka_that_is_away_is_named_with_its_variable",
        ),
        (
            "a daemon that does not run",
            "doctor_services",
            "        if dead:\n",
            "        if not statuses:\n",
            f"{_DOCTOR}a_daemon_that_does_not_run_is_named",
        ),
    )
)

OPERATIONS = _cases(
    "5.8 operations",
    *_FINDINGS,
    *(
        (
            f"production falls back: {what}",
            file,
            old,
            new,
            f"{_KINDS}nothing_falls_back_where_it_is_deployed",
        )
        for what, file, old, new in (
            (
                "ClickHouse",
                "resources/clickhouse.py",
                "        require_complete()\n        return ensure_running",
                "        return ensure_running",
            ),
            (
                "the lake",
                "resources/stores.py",
                "        require_complete()\n        home = Home.from_environment()",
                "        home = Home(Path.home())",
            ),
            (
                "the home",
                "resources/home.py",
                "            require_complete()\n",
                "            pass\n",
            ),
        )
    ),
    (
        "definitions load where addresses lack",
        "social_assets/definitions.py",
        "\nrequire_complete()\n",
        "\n",
        f"{_KINDS}definitions_of_a_deployed_environment_do_not_load_without_their_addresses",
    ),
    (
        "staging counts as local",
        "resources/environments.py",
        "return self in (Environment.STAGING, Environment.PRODUCTION)",
        "return self is Environment.PRODUCTION",
        f"{_KINDS}a_deployed_environment_lists_all_that_lacks_at_once",
    ),
    (
        "a log line shows a password",
        "resources/logs.py",
        "return hidden(json.dumps(line, default=str, ensure_ascii=False))",
        "return json.dumps(line, default=str, ensure_ascii=False)",
        f"{_LINES}an_error_comes_with_its_trace_and_without_secrets",
    ),
    (
        "the password of a URL is not known as a secret",
        "resources/settings.py",
        "            yield from (password, unquote(password))\n",
        "            yield from ()\n",
        f"{_KINDS}secrets_are_hidden_in_texts",
    ),
    (
        "a run shows the password of ClickHouse in its metadata",
        "social_assets/defs/load_job.py",
        'metadata={"fed_by": name}',
        'metadata={"fed_by": __import__("os").environ["SOCIAL_ASSETS_CLICKHOUSE_URL"]}',
        f"{_SECRETS}no_secret_is_in_the_home_after_a_load_a_drain_that_fails_and_an_alert",
    ),
    (
        "a hop's line lacks run and stream",
        "social_assets/hops/hop_log.py",
        '{"run_id": stores.run_id, "stream": stores.contract.name}',
        "{}",
        f"{_HOP}a_line_can_be_searched_by_run_stream_hop_and_batch",
    ),
    (
        "a hop's line lacks its batch",
        "social_assets/hops/hop_log.py",
        '"batch_id": batch_id, ',
        "",
        f"{_HOP}a_line_can_be_searched_by_run_stream_hop_and_batch",
    ),
    (
        "the runbook lacks a check",
        "docs/operations.md",
        "| `fresh` | the newest day is older than the contract allows | find out why nothing"
        " arrives |\n",
        "",
        f"{_RUNBOOK}the_runbook_says_of_every_check_what_to_do",
    ),
    (
        "the runbook names a command that is none",
        "docs/operations.md",
        "| find out what is wrong with the installation | `social-assets doctor` |",
        "| find out what is wrong with the installation | `social-assets check-up` |",
        f"{_RUNBOOK}every_command_written_down_is_one",
    ),
    (
        "the runbook names a setting that is none",
        "docs/operations.md",
        "With `SOCIAL_ASSETS_LOG_FORMAT=json`",
        "With `SOCIAL_ASSETS_LOGS=json`",
        f"{_RUNBOOK}every_setting_written_down_is_one",
    ),
)

CASES: tuple[Case, ...] = (*AUTOMATION, *MAINTENANCE, *OPERATIONS)
