"""Comparison of a source's fields with the contract's columns, on constructed counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dagster import AssetCheckSeverity

from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks.source_schema_checks import Fields, day_result, differences

POSTS = contract("posts")
COLUMNS = {column.name: 1000 for column in POSTS.source_columns}


def fields(**changes: int) -> Fields:
    """The contract's fields in each of 1000 records, with changes; 0 removes a field."""
    counts = {name: n for name, n in (COLUMNS | changes).items() if n}
    return Fields(date(2026, 3, 1), 1000, counts, {"likes_total": "17"})


def test_the_contracts_fields_in_any_spelling_are_no_difference() -> None:
    spelled = {name.title().replace("_", " "): n for name, n in COLUMNS.items()}
    assert differences(POSTS, replace(fields(), counts=spelled)) == []


def test_an_unknown_field_warns_with_its_share_an_example_and_a_plan() -> None:
    (found,) = differences(POSTS, fields(likes_total=400))
    assert (found.name, found.what, found.share) == ("likes_total", "unknown field", 0.4)
    assert "such as 17" in found.plan
    assert f"add a column to {POSTS.model.__name__} and backfill" in found.plan
    result = day_result(POSTS, fields(likes_total=400))
    assert (result.passed, result.severity) == (False, AssetCheckSeverity.WARN)


def test_a_field_left_unread_on_purpose_is_no_difference() -> None:
    knowing = replace(POSTS, unread=("LikesTotal",))
    assert differences(knowing, fields(likes_total=400)) == []


def test_a_column_that_nearly_all_records_lack_warns_and_names_its_default() -> None:
    (found,) = differences(POSTS, fields(media_type=40))
    assert (found.name, found.what, found.is_severe) == ("media_type", "missing", False)
    assert found.share == 0.96
    assert differences(POSTS, fields(media_type=60)) == []
    assert differences(replace(POSTS, absent=("media_type",)), fields(media_type=0)) == []


def test_a_required_column_that_is_gone_is_an_error_since_its_records_are_rejected() -> None:
    result = day_result(POSTS, fields(post_id=0))
    assert (result.passed, result.severity) == (False, AssetCheckSeverity.ERROR)
    assert "every such record is rejected" in str(result.metadata["differences"].value)


def test_a_renamed_field_is_recognised_on_both_sides() -> None:
    gone, new = differences(POSTS, fields(media_type=0, mediatypes=1000))
    assert "renamed to mediatypes?" in gone.plan
    assert "the new name of media_type?" in new.plan


def test_two_spellings_of_a_column_add_up() -> None:
    counts = {k: v for k, v in COLUMNS.items() if k != "media_type"}
    both = counts | {"MediaType": 500, "media-type": 500}
    assert differences(POSTS, replace(fields(), counts=both)) == []


def test_without_records_nothing_is_validated() -> None:
    assert day_result(POSTS, None).passed
