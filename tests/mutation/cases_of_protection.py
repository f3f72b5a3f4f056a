"""Mutations of what protects data and access: full disks, the gate of the UI, homes, rejects."""

from __future__ import annotations

from tests.mutation.case import Case

_CLUSTER = "tests/integration/warehouse/cluster/test_definitions.py::test_"
_GATE = "tests/integration/operate/test_ui_gate.py::test_"
_FILES = "tests/unit/pipeline/files/test_allowed_files.py::test_"
_ROOM = "tests/unit/resources/embedded_clickhouse/test_room.py::test_"
_LARGE = "tests/integration/pipeline/test_large_records.py::test_"
_HOMES = "tests/unit/cli/test_home_use.py::test_"
_BY_DAY = "tests/integration/quality/test_invariants_by_day.py::test_"
_STORAGE = "tests/integration/resources/dagster/test_sqlite_storage.py::test_"


def _cases(*taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [
        Case("5.9 protection", what, file, old, new, test)
        for what, file, old, new, test in taken_away
    ]


DISKS = _cases(
    (
        "tables are exchanged on a cluster before all replicas have their rows",
        "resources/clickhouse/cluster.py",
        """not tokens[0].is_word("EXCHANGE") or""",
        "tokens or",
        f"{_CLUSTER}an_exchange_waits_for_the_rows_of_both_tables_on_each_replica",
    ),
    (
        "days are swapped on any replica of a cluster, which may lack the staging rows",
        "resources/clickhouse/cluster.py",
        """        if kinds <= _OF_ROWS:
            return text.decode()
""",
        """        if kinds <= _OF_ROWS:
            return _inserted(text, end, f" {self.clause}")
""",
        f"{_CLUSTER}what_changes_rows_runs_on_the_replica_that_has_them",
    ),
    (
        "inserts use up the reserve of free disk",
        "resources/machine/disk_space.py",
        "return self.free_bytes < self.reserve_bytes\n",
        "return self.free_bytes < 0\n",
        f"{_ROOM}below_the_reserve_the_error_names_folder_room_reserve_and_setting",
    ),
    (
        "a disk below twice the reserve is not told",
        "resources/machine/disk_space.py",
        "return self.free_bytes < 2 * self.reserve_bytes",
        "return self.free_bytes < self.reserve_bytes",
        "tests/unit/alerts/test_disk_alerts.py"
        "::test_an_alert_stands_from_twice_the_reserve_and_ends_when_there_is_room",
    ),
    (
        "a full disk below the lake is told in Delta's words, without a remedy",
        "social_assets/lake/storage/errors.py",
        "        if (found := _DISK_ERROR.search(str(error))) is not None:\n",
        "        if (found := _DISK_ERROR.search(str(error))) is None:\n",
        "tests/integration/lake/test_full_lake_disk.py"
        "::test_a_full_disk_is_named_with_table_and_remedy_and_the_table_is_unchanged",
    ),
)

GATE = _cases(
    (
        "a rebound host name is served",
        "resources/web/requests.py",
        "    if _name(hosts[0]) not in names:\n",
        "    if not names:\n",
        f"{_GATE}a_name_that_was_rebound_to_this_machine_is_refused",
    ),
    (
        "a page of another site is obeyed",
        "resources/web/requests.py",
        "        if not _is_own(origin, host):\n",
        "        if not origin:\n",
        f"{_GATE}a_page_of_another_site_or_port_is_refused_even_with_the_cookie",
    ),
    (
        "the UI is shown without the token",
        "social_assets/operate/ui/gate.py",
        "elif not (self._session.is_bearer(request) or self._session.has_cookie(request)):",
        "elif request.method == 'TRACE':",
        f"{_GATE}nothing_is_shown_without_the_token",
    ),
    (
        "GraphQL is run by GET",
        "social_assets/operate/ui/gate.py",
        'is_query = "graphql" in names[-1:] and',
        'is_query = "nothing" in names[-1:] and',
        f"{_GATE}graphql_is_not_run_by_get",
    ),
    (
        "a WebSocket needs no cookie",
        "social_assets/operate/ui/gate.py",
        "        if allowed:\n",
        "        if allowed or not is_program:\n",
        f"{_GATE}a_websocket_needs_the_cookie_and_the_origin_of_the_ui",
    ),
    (
        "run config names any file of the machine",
        "social_assets/pipeline/files/allowed_files.py",
        "    if found in _granted or _is_inside(found):\n        return\n",
        "    if found in _granted or found:\n        return\n",
        f"{_FILES}a_file_elsewhere_is_refused_naming_the_setting",
    ),
    (
        "a link in landing leads out of it",
        "social_assets/pipeline/files/allowed_files.py",
        "    found = path.resolve()\n    if found in _granted",
        "    found = path.absolute()\n    if found in _granted",
        f"{_FILES}a_link_in_landing_is_not_followed_out_of_it",
    ),
)

HOMES = _cases(
    (
        "two UIs serve one home",
        "social_assets/operate/ui/lock.py",
        "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "tests/integration/operate/test_ui_lock.py"
        "::test_a_second_ui_of_a_home_is_refused_naming_who_serves_the_first",
    ),
    (
        "a mistyped home is made",
        "social_assets/cli/home_use.py",
        "    if not is_installation(home):\n        raise NoInstallationError(home)\n",
        "    if not home.path:\n        raise NoInstallationError(home)\n",
        f"{_HOMES}a_mistyped_home_is_refused_and_nothing_is_made",
    ),
    (
        "a home that is a file is used",
        "social_assets/cli/home_use.py",
        "    if not existing.is_dir():\n",
        "    if not existing.exists():\n",
        f"{_HOMES}a_home_that_is_a_file_is_refused",
    ),
    (
        "a document holds what JSON has no form for",
        "social_assets/cli/printing/json_text.py",
        "return float(value) if math.isfinite(value) else None",
        "return float(value)",
        "tests/unit/cli/printing/test_json_text.py::test_a_value_becomes_the_value_that_stands_for_it",
    ),
    (
        "ticks give up on a locked database after SQLite's five seconds",
        "resources/dagster/sqlite_storage.py",
        'connect_args={"timeout": BUSY_SECONDS}',
        "connect_args={}",
        f"{_STORAGE}runs_ticks_and_events_wait_as_long_for_another_writer",
    ),
)

RECORDS = _cases(
    (
        "a batch that cannot be cleaned stops its stream",
        "social_assets/pipeline/files/file_batches.py",
        "if not is_of_the_batch(error):\n                raise\n",
        "if error:\n                raise\n",
        f"{_LARGE}a_batch_that_cannot_be_cleaned_is_quarantined_and_comes_back_with_a_rebuild",
    ),
    (
        "a pending batch that cannot be cleaned stops its stream",
        "social_assets/pipeline/landed_batches.py",
        "if not is_of_the_batch(error):\n            raise\n        quarantine_batch(",
        "if error:\n            raise\n        quarantine_batch(",
        f"{_LARGE}a_pending_batch_that_cannot_be_cleaned_is_quarantined",
    ),
    (
        "a full disk sets a batch aside",
        "social_assets/pipeline/quarantined_batches.py",
        "isinstance(error, _OF_THE_BATCH) and not is_disk",
        "isinstance(error, _OF_THE_BATCH)",
        f"{_LARGE}an_error_that_is_no_fault_of_the_batch_sets_nothing_aside",
    ),
    (
        "of one key the last landed record wins",
        "social_assets/transform/first_landed.py",
        'ingested_at, ordinal, "partition", "offset"',
        'ingested_at DESC, ordinal DESC, "partition" DESC, "offset" DESC',
        "tests/integration/transform/test_first_landed.py"
        "::test_all_but_the_first_landed_record_of_a_key_and_date_are_duplicates",
    ),
    (
        "a load reports no validation results",
        "social_assets/defs/ingestion/jobs/load_job.py",
        "    record(context, report_rules(stream))\n",
        "",
        f"{_BY_DAY}a_load_reports_every_rule_and_a_load_of_another_day_leaves_the_bad_day_failing",
    ),
    (
        "a good day hides the bad day of a rule",
        "social_assets/defs/ingestion/checks/rule_results.py",
        "            worst_share=max(share, before.worst_share),\n",
        "            worst_share=share * (day == max(raw)),\n",
        f"{_BY_DAY}a_load_reports_every_rule_and_a_load_of_another_day_leaves_the_bad_day_failing",
    ),
    (
        "a run of other days hides a day on which an invariant is broken",
        "social_assets/defs/monitoring/invariant_results.py",
        "passed=not broken and not elsewhere,",
        "passed=not broken,",
        f"{_BY_DAY}a_run_of_other_days_leaves_an_invariant_failing_that_is_broken_on_one",
    ),
)

CASES: tuple[Case, ...] = (*DISKS, *GATE, *HOMES, *RECORDS)
