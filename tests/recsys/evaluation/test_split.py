"""A model learns from interactions before the cut and is evaluated on those after it."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from recsys import temporal_split

CUT = datetime(2026, 1, 6, tzinfo=UTC)


def pairs(matrix):
    coo = matrix.csr.tocoo()
    return {
        (matrix.users[user].as_py(), matrix.items[item].as_py())
        for user, item in zip(coo.row, coo.col, strict=True)
    }


def test_rows_before_the_cut_train_and_rows_from_the_cut_on_test(rows):
    split = temporal_split(
        rows(("a", "x", 1, 0), ("b", "y", 1, 4), ("a", "y", 1, 5), ("b", "x", 1, 9)), CUT
    )
    assert pairs(split.train) == {("a", "x"), ("b", "y")}
    assert pairs(split.test) == {("a", "y"), ("b", "x")}


def test_a_pair_known_from_train_is_no_test_of_the_model(rows):
    split = temporal_split(
        rows(("a", "x", 1, 0), ("b", "y", 1, 0), ("a", "x", 7, 6), ("a", "y", 2, 6)), CUT
    )
    assert pairs(split.test) == {("a", "y")}
    assert split.repeated_pairs == 1


def test_new_users_and_new_items_are_counted_and_left_out(rows):
    split = temporal_split(
        rows(("a", "x", 1, 0), ("new", "x", 1, 6), ("a", "fresh", 1, 6), ("new", "fresh", 1, 6)),
        CUT,
    )
    assert pairs(split.test) == set()
    assert (split.new_user_rows, split.new_item_rows) == (2, 1)
    assert split.test.users.equals(split.train.users)
    assert split.test.items.equals(split.train.items)


def test_times_without_a_zone_are_utc(rows):
    table = rows(("a", "x", 1, 0), ("b", "y", 1, 0), ("b", "x", 1, 5))
    naive = table.set_column(3, "event_time", table["event_time"].cast(pa.timestamp("ns")))
    assert pairs(temporal_split(naive, CUT).test) == {("b", "x")}


def test_a_cut_without_a_zone_is_refused(rows):
    with pytest.raises(ValueError, match="has no time zone"):
        temporal_split(rows(("a", "x")), CUT.replace(tzinfo=None))


def test_times_that_are_text_or_null_are_refused(rows):
    table = rows(("a", "x"))
    text = table.set_column(3, "event_time", pa.array(["2026-01-01"]))
    with pytest.raises(ValueError, match="event_time is string, not a timestamp"):
        temporal_split(text, CUT)
    holed = table.set_column(3, "event_time", pa.array([None], pa.timestamp("us", "UTC")))
    with pytest.raises(ValueError, match="event_time is null in 1 rows"):
        temporal_split(holed, CUT)


@pytest.mark.parametrize("day", [0, 9])
def test_all_rows_on_one_side_of_the_cut_leave_the_other_empty(rows, day):
    split = temporal_split(rows(("a", "x", 1, day), ("b", "y", 1, day)), CUT)
    assert split.test.csr.nnz == 0
    assert split.train.csr.nnz == (2 if day == 0 else 0)
    assert split.new_user_rows == (0 if day == 0 else 2)
