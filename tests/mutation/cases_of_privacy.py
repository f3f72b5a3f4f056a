"""Mutations of what forgets a person: deletion, purging, rejection of what arrives later."""

from __future__ import annotations

from tests.mutation.case import Case

_ERASING = "tests/integration/pipeline/privacy/test_erasing_persons.py::test_"
_DOCUMENTS = "tests/integration/warehouse/text/test_documents_of_texts.py::test_"
_ERASE = "social_assets/pipeline/privacy/erase_persons.py"
_ERASED = f"{_ERASING}an_erased_person_leaves_the_tables_of_a_home_that_never_had_the_records"


def _cases(*taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [
        Case("16.6 privacy", what, file, old, new, test)
        for what, file, old, new, test in taken_away
    ]


CASES = _cases(
    (
        "a staging table of a killed run stays with its rows",
        "social_assets/pipeline/privacy/warehouse_rows.py",
        "DROP TABLE IF EXISTS {name} SYNC",
        "SELECT 1 FROM {name} LIMIT 0",
        "tests/integration/pipeline/privacy/test_staging_tables.py::test_"
        "what_a_killed_run_has_left_is_dropped_and_other_tables_stay",
    ),
    (
        "the log of Delta keeps the smallest and largest ids",
        "social_assets/lake/privacy/purge.py",
        "        delta.cleanup_metadata()\n",
        "",
        _ERASED,
    ),
    (
        "an id in a field that no contract names stays",
        _ERASE,
        "pc.or_(in_bytes(group.distinct, part), is_named)",
        "is_named",
        _ERASED,
    ),
    (
        "a pass that was killed before it purged is not completed",
        _ERASE,
        "        if days or persons.ids:\n",
        "        if days:\n",
        f"{_ERASING}an_erasure_that_was_stopped_is_completed_by_the_next",
    ),
    (
        "the warehouse keeps the days of a pass that was killed",
        _ERASE,
        "    layers = (CLEANED, *BEHIND)\n",
        "    layers = BEHIND\n",
        f"{_ERASING}an_erasure_that_was_stopped_is_completed_by_the_next",
    ),
    (
        "what arrives later of a forgotten person is accepted",
        "social_assets/pipeline/privacy/forgotten_records.py",
        "    refuse = None if forgotten is None else forgotten.refuse\n",
        "    refuse = None\n",
        f"{_ERASING}a_record_of_a_forgotten_person_that_arrives_later_is_rejected_and_then_erased",
    ),
    (
        "the same id of another platform is erased too",
        "social_assets/pipeline/privacy/forgotten_records.py",
        "                    is_of = pc.and_(is_of, may_be_of(platform, rows))\n",
        "                    pass\n",
        f"{_ERASING}a_person_of_one_platform_leaves_the_same_id_of_another_one",
    ),
    (
        "a text that is gone from search stays in its files",
        "social_assets/transform/text/documents.py",
        "    if present and is_erased:\n",
        "    if False:\n",
        f"{_DOCUMENTS}after_erasing_no_file_has_a_text_that_is_gone",
    ),
    (
        "search finds the text that a post had before",
        "social_assets/transform/text/documents.py",
        "tuple(changed_at, event_date, stream, text_id)) AS row",
        "tuple(-toUnixTimestamp64Micro(changed_at), stream, text_id)) AS row",
        f"{_DOCUMENTS}of_an_edited_post_only_the_newest_text_is_found",
    ),
)

_BY_API = "tests/integration/serving/test_deletions.py::test_"
REQUESTS = [
    Case("16.6 requests by the API", what, file, old, new, f"{_BY_API}{test}")
    for what, file, old, new, test in (
        (
            "a key that only writes may forget persons",
            "social_assets/serving/privacy/api.py",
            "if not (caller.is_admin and caller.sees_all):",
            "if not (caller.may_write and caller.sees_all):",
            "only_an_admin_who_sees_all_accounts_may",
        ),
        (
            "an admin of some accounts may forget persons of all",
            "social_assets/serving/privacy/api.py",
            "if not (caller.is_admin and caller.sees_all):",
            "if not caller.is_admin:",
            "only_an_admin_who_sees_all_accounts_may",
        ),
        (
            "the answer of an admin is kept for others",
            "social_assets/serving/caching/cached_answers.py",
            ', "/api/v1/deletions")',
            ")",
            "only_an_admin_who_sees_all_accounts_may",
        ),
    )
]

_COUNTING = "tests/integration/pipeline/privacy/test_records_by_person.py::test_"
COUNTS = [
    Case("16.6 records of each request", what, file, old, new, f"{_COUNTING}{test}")
    for what, file, old, new, test in (
        (
            "records of all persons count for each of them",
            "social_assets/pipeline/privacy/records_by_person.py",
            "    if len(group.persons) == 1:\n        (person,) = group.persons\n"
            "        found[person] += mask.true_count\n        return\n",
            "    if len(group.persons) >= 1:\n        for person in group.persons:\n"
            "            found[person] += mask.true_count\n        return\n",
            "halving_persons_counts_as_comparing_each_row_with_each_person",
        ),
        (
            "a record of another platform counts for the request",
            "social_assets/pipeline/privacy/records_by_person.py",
            "    return mask if platform is None else pc.and_(mask, may_be_of(platform, rows))\n",
            "    return mask\n",
            "a_record_counts_for_each_person_in_it_and_for_nobody_else",
        ),
        (
            "a request forgets what its first pass has deleted",
            "social_assets/pipeline/privacy/deletion_report.py",
            "known = {} if before is None else DeletionReport.of_json(before).own_records",
            "known: dict[str, int] = {}",
            "a_request_of_two_passes_tells_what_both_have_deleted",
        ),
    )
]
