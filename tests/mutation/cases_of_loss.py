"""Behaviours that a team relies on after a loss: backup, restore, rebuild of the warehouse."""

from __future__ import annotations

from tests.mutation.case import Case

_BACKUP = "tests/integration/operate/disaster/test_backup.py::test_"
_RESTORE = "tests/integration/operate/disaster/test_restore.py::test_"

LOSS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "the lake is copied before the operational store, whose positions then pass it",
        "social_assets/operate/disaster/backup.py",
        "        files, left_out = copies.of_home("
        "home_files(home, with_secret_key=with_secret_key))\n"
        "        tables, pinned_at, of_lake = _copy_lake(lake, copies, say)\n",
        "        tables, pinned_at, of_lake = _copy_lake(lake, copies, say)\n"
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

CASES: tuple[Case, ...] = tuple(Case("16.4 a loss", *case) for case in LOSS)
