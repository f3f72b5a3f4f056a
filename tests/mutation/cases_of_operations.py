"""Mutations of item 8: the doctor, environments, secrets, logs, the runbook."""

from __future__ import annotations

from tests.mutation.case import Case

_DOCTOR = "tests/integration/operate/test_doctor.py::test_"
_KINDS = "tests/unit/resources/test_environments.py::test_"
_LINES = "tests/unit/resources/test_log_lines.py::test_"
_SECRETS = "tests/e2e/test_secrets_stay_in_the_environment.py::test_"
_STEP = "tests/unit/pipeline/test_step_log.py::test_"
_SHIPPING = "tests/integration/pipeline/logs/test_shipping_logs.py::test_"
_LOG_FILES = "tests/unit/resources/log_files/test_line_files.py::test_"
_LOG_LINES = "tests/unit/pipeline/logs/test_parsing_log_lines.py::test_"
_RUNBOOK = "tests/e2e/test_runbook.py::test_"


def _cases(*taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [
        Case("5.8 operations", what, file, old, new, test)
        for what, file, old, new, test in taken_away
    ]


_DIAGNOSTICS = tuple(
    (f"the doctor does not see {what}", f"social_assets/operate/doctor/{file}.py", old, new, test)
    for what, file, old, new, test in (
        (
            "a variable that nothing reads",
            "settings",
            "    for name, meant in unknown().items():\n",
            "    for name, meant in ():\n",
            f"{_DOCTOR}a_misspelt_variable_is_named_with_the_right_one",
        ),
        (
            "an old package",
            "machine",
            "if not requirement.specifier.contains(installed, prereleases=True):",
            "if not installed:",
            f"{_DOCTOR}an_old_or_missing_package_is_named",
        ),
        (
            "a full disk",
            "machine",
            "        if each.severity is None:\n",
            "        if each.severity is not None:\n",
            f"{_DOCTOR}a_disk_that_runs_full_is_named_with_what_lies_on_it",
        ),
        (
            "a clock that went back",
            "machine",
            "if newest - now > CLOCK_SECONDS:",
            "if now - newest > CLOCK_SECONDS:",
            f"{_DOCTOR}a_clock_that_went_back_is_named",
        ),
        (
            "a password that others can read",
            "machine",
            "stat.S_IMODE(secret.stat().st_mode) & 0o077:",
            "stat.S_IMODE(secret.stat().st_mode) & 0o002:",
            f"{_DOCTOR}a_password_that_others_can_read_is_named",
        ),
        (
            "an old ClickHouse",
            "services",
            "OLDEST_CLICKHOUSE = (25, 8)",
            "OLDEST_CLICKHOUSE = (20, 8)",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a ClickHouse user without rights",
            "services",
            "        yield from _rights(client, endpoint)\n",
            "",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a ClickHouse in another time",
            "services",
            "        yield from _clock(client)\n",
            "",
            f"{_DOCTOR}what_lacks_of_a_clickhouse_is_named",
        ),
        (
            "a Kafka that is away",
            "examine",
            '    ("Kafka", doctor_services.kafka),\n',
            "",
            f"{_DOCTOR}a_kafka_that_is_away_is_named_with_its_variable",
        ),
        (
            "a daemon that does not run",
            "services",
            "        if dead:\n",
            "        if not statuses:\n",
            f"{_DOCTOR}a_daemon_that_does_not_run_is_named",
        ),
    )
)

CASES: tuple[Case, ...] = tuple(
    _cases(
        *_DIAGNOSTICS,
        *(
            (
                f"production falls back: {what}",
                file,
                old,
                new,
                f"{_KINDS}one_address_that_lacks_is_not_made_up_for_by_the_others",
            )
            for what, file, old, new in (
                (
                    "ClickHouse",
                    "resources/clickhouse/resource.py",
                    "        require_complete()\n        return ensure_running",
                    "        return ensure_running",
                ),
                (
                    "the lake",
                    "social_assets/defs/stores.py",
                    "        require_complete()\n        home = Home.from_environment()",
                    "        home = Home.from_environment()",
                ),
                (
                    "Kafka",
                    "resources/kafka/settings.py",
                    "            require_complete(environment)\n",
                    "",
                ),
                (
                    "the home",
                    "resources/settings/home.py",
                    "            require_complete()\n",
                    "            pass\n",
                ),
            )
        ),
        (
            "definitions load where addresses lack",
            "social_assets/defs/installation.py",
            "    require_complete()\n",
            "",
            f"{_KINDS}definitions_of_a_deployed_environment_do_not_load_without_their_addresses",
        ),
        (
            "staging counts as local",
            "resources/settings/environments.py",
            "return self in (Environment.STAGING, Environment.PRODUCTION)",
            "return self is Environment.PRODUCTION",
            f"{_KINDS}a_deployed_environment_lists_all_that_lacks_at_once",
        ),
        (
            "a log line shows a password",
            "resources/settings/logs.py",
            "return hidden(json.dumps(line, default=str, ensure_ascii=False))",
            "return json.dumps(line, default=str, ensure_ascii=False)",
            f"{_LINES}an_error_comes_with_its_trace_and_without_secrets",
        ),
        (
            "the password of a URL is not known as a secret",
            "resources/settings/variables.py",
            "            yield from _passwords(value)\n",
            "            yield from ()\n",
            f"{_KINDS}secrets_are_hidden_in_texts",
        ),
        (
            "a run shows the password of ClickHouse in its metadata",
            "social_assets/defs/ingestion/jobs/changed_days.py",
            '{"fed_by": MetadataValue.text(name)}',
            '{"fed_by": __import__("os").environ["SOCIAL_ASSETS_CLICKHOUSE_URL"]}',
            f"{_SECRETS}no_secret_is_in_the_home_after_a_load_a_drain_that_fails_and_an_alert",
        ),
        (
            "a step's line lacks run and stream",
            "social_assets/pipeline/step_log.py",
            '{"run_id": stores.run_id, "stream": stores.name}',
            "{}",
            f"{_STEP}a_line_can_be_searched_by_run_stream_step_and_batch",
        ),
        (
            "a step's line lacks its batch",
            "social_assets/pipeline/step_log.py",
            '"batch_id": batch_id, ',
            "",
            f"{_STEP}a_line_can_be_searched_by_run_stream_step_and_batch",
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
) + tuple(
    Case("16.8 logs", *case)
    for case in (
        (
            "a batch of log lines that was inserted before a kill is inserted again",
            "social_assets/pipeline/logs/ship.py",
            "write_positions(path, replace(positions, batch=batch))",
            "pass",
            f"{_SHIPPING}a_kill_between_insert_and_position_doubles_nothing",
        ),
        (
            "the file of a living process is removed with lines that it writes later",
            "resources/log_files/folder.py",
            "            if is_complete:\n",
            "            if True:\n",
            f"{_LOG_FILES}the_file_of_a_living_process_is_not_removed",
        ),
        (
            "nobody is told that log lines did not fit the disk",
            "resources/log_files/line_file.py",
            "            if self._lost:\n",
            "            if False:\n",
            f"{_LOG_FILES}lines_that_do_not_fit_the_disk_are_counted_and_later_lines_are_whole",
        ),
        (
            "credentials are written to log files",
            "resources/log_files/handler.py",
            "safe = masked(hidden(text))",
            "safe = text",
            f"{_LOG_FILES}credentials_are_taken_out_before_a_line_is_written",
        ),
        (
            "credentials in lines of other programs are shipped",
            "social_assets/pipeline/logs/parse.py",
            "text=masked(hidden(text))[:LONGEST_TEXT]",
            "text=text[:LONGEST_TEXT]",
            f"{_LOG_LINES}credentials_in_lines_of_other_programs_are_taken_out",
        ),
    )
)
