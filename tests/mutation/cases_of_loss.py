"""Behaviours that a team relies on after a loss: of a machine, a server, a broker."""

from __future__ import annotations

from tests.mutation.case import Case

_BACKUP = "tests/integration/operate/disaster/test_backup.py::test_"
_IN_A_BUCKET = "tests/integration/s3/test_backups.py::test_"
_RESTORE = "tests/integration/operate/disaster/test_restore.py::test_"

LOSS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "the lake is copied before the operational store, whose positions then pass it",
        "social_assets/operate/disaster/backup.py",
        "        files, left_out = copies.of_home("
        "home_files(home, with_secret_key=with_secret_key))\n"
        "        tables, pinned_at, of_lake = _lake(root, copies, say)\n",
        "        tables, pinned_at, of_lake = _lake(root, copies, say)\n"
        "        files, left_out = copies.of_home("
        "home_files(home, with_secret_key=with_secret_key))\n",
        f"{_BACKUP}what_lands_while_the_operational_store_is_copied_is_in_the_backup",
    ),
    (
        "a changed file is taken for the one of the earlier backup",
        "social_assets/operate/disaster/backup.py",
        "known.sign == str(before) and",
        "",
        f"{_BACKUP}a_second_backup_copies_only_what_changed",
    ),
    (
        "the key of stored credentials is in every backup",
        "social_assets/operate/disaster/home_files.py",
        "(with_secret_key or not is_key)",
        "True",
        f"{_BACKUP}what_is_made_anew_and_the_secret_key_are_not_in_a_backup",
    ),
    (
        "a damaged content is restored",
        "social_assets/operate/disaster/restore.py",
        "if digest.hexdigest() != file.sha256:",
        "if not digest.hexdigest():",
        f"{_RESTORE}a_damaged_content_is_named_and_nothing_is_restored",
    ),
    (
        "two backups write to a bucket at once",
        "social_assets/operate/disaster/places/lease.py",
        "if to_write or each",
        "if not each",
        f"{_IN_A_BUCKET}one_backup_writes_and_restores_read_together",
    ),
    (
        "a restored home speaks of records that the lake does not have",
        "social_assets/operate/disaster/restore.py",
        "if found.get(name, -1) < version:",
        "if version < 0:",
        f"{_IN_A_BUCKET}a_lake_in_a_bucket_is_noted_and_must_not_be_older_at_the_restore",
    ),
    (
        "a restore goes into a home in use",
        "social_assets/operate/disaster/restore.py",
        "if not is_moving and (others",
        "if is_moving and (others",
        f"{_RESTORE}a_home_that_is_not_empty_is_refused",
    ),
    (
        "commands use a home that is not restored yet",
        "social_assets/cli/home_use.py",
        "if home.restoring.exists():",
        "if not path:",
        f"{_RESTORE}a_restore_that_is_interrupted_is_completed_by_the_same_command",
    ),
    (
        "a warehouse later than the lake leaves out batches that come again",
        "social_assets/pipeline/rebuild_warehouse.py",
        "return not stores.loader.loaded() <= known",
        "return not known",
        "tests/integration/pipeline/test_rebuilding_the_warehouse.py"
        "::test_a_warehouse_later_than_a_restored_lake_is_refused",
    ),
)

_KEPT = "tests/integration/resources/machine/test_supervisor.py::test_"
_REPLICATED = "tests/unit/resources/test_kafka_replication.py::test_"
_LOCAL = "tests/integration/resources/dagster/test_local_launcher.py::test_"

KILLED: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "a service that keeps ending is started without a limit of the wait",
        "resources/machine/supervisor.py",
        "return float(min(FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 16), LONGEST_WAIT_SECONDS))",
        "return float(FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 16))",
        f"{_KEPT}the_wait_never_shrinks_and_has_a_limit",
    ),
    (
        "a service outlives a supervisor that is killed",
        "resources/machine/supervisor.py",
        "    ctypes.CDLL(None).prctl(1, signal.SIGTERM)\\n",
        "    ctypes.CDLL(None)\\n",
        f"{_KEPT}a_service_ends_with_a_supervisor_that_is_killed",
    ),
    (
        "a service starts before what it needs is ready",
        "resources/machine/supervisor.py",
        "all(kept.was_ready.is_set() for kept in before)",
        "all(kept.service.name for kept in before)",
        f"{_KEPT}a_service_waits_until_those_before_it_are_ready",
    ),
    (
        "a factor alone lets one broker acknowledge a record",
        "resources/kafka/replication.py",
        "            least = factor // 2 + 1\n        if",
        "            least = 1\n        if",
        f"{_REPLICATED}a_factor_alone_wants_a_majority_in_sync",
    ),
    (
        "a run whose process was killed with its code server counts as running",
        "resources/dagster/local_launcher.py",
        "return CheckRunHealthResult(WorkerStatus.NOT_FOUND, GONE)",
        "return CheckRunHealthResult(WorkerStatus.RUNNING)",
        f"{_LOCAL}a_run_without_any_process_is_failed_and_one_with_its_process_goes_on",
    ),
    (
        "a drain waits for the coordinator of operators' offsets",
        "social_assets/pipeline/topics/group_offsets.py",
        "            self._running.start()",
        "            self._running.run()",
        "tests/unit/pipeline/test_group_offsets.py"
        "::test_a_coordinator_that_does_not_answer_keeps_no_drain_waiting",
    ),
)

CASES: tuple[Case, ...] = (
    *(Case("16.4 a loss", *case) for case in LOSS),
    *(Case("16.5 a killed server", *case) for case in KILLED),
)
