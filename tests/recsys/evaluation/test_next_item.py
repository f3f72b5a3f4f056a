"""What a user takes up next: the last item of each, or the first new one after a cut."""

from datetime import UTC, datetime

import numpy as np
import pytest

from recsys import InteractionMatrix
from recsys.evaluation.next_item import leave_last_out, next_after
from tests.recsys.evaluation.test_split import pairs

CUT = datetime(2026, 1, 6, tzinfo=UTC)


def test_the_last_item_of_each_user_is_tested_and_all_others_are_learned(rows):
    table = rows(
        *(("a", "x", 1, 3), ("a", "y", 1, 0), ("a", "z", 1, 2)),
        *(("b", "x", 1, 0), ("b", "z", 1, 9)),
    )
    split = leave_last_out(InteractionMatrix.from_table(table))
    assert pairs(split.test) == {("a", "x"), ("b", "z")}
    assert pairs(split.train) == {("a", "y"), ("a", "z"), ("b", "x")}
    assert len(split.train.times) == 3


def test_an_item_that_returns_counts_when_the_user_first_had_it(rows):
    table = rows(("a", "x", 1, 0), ("a", "y", 1, 5), ("a", "x", 1, 9), ("b", "y", 1, 0))
    assert pairs(leave_last_out(InteractionMatrix.from_table(table)).test) == {("a", "y")}


def test_of_items_of_one_time_the_heavier_is_last_and_of_equal_ones_the_later_id(rows):
    table = rows(("a", "x", 3), ("a", "y", 1), ("b", "x"), ("b", "y"), ("c", "x"), ("d", "y"))
    assert pairs(leave_last_out(InteractionMatrix.from_table(table)).test) == {
        ("a", "x"),
        ("b", "y"),
    }


def test_a_user_with_one_item_has_nothing_to_test(rows):
    split = leave_last_out(InteractionMatrix.from_table(rows(("a", "x"), ("b", "y"))))
    assert split.test.csr.nnz == 0
    assert pairs(split.train) == {("a", "x"), ("b", "y")}


def test_a_last_item_that_nobody_else_has_is_counted_and_not_tested(rows):
    table = rows(("a", "x"), ("a", "own", 1, 1), ("b", "x"), ("b", "y", 1, 1), ("c", "y"))
    split = leave_last_out(InteractionMatrix.from_table(table))
    assert pairs(split.test) == {("b", "y")}
    assert split.unknown_items == 1


def test_nothing_is_last_in_a_matrix_without_times_and_of_no_one(rows, tasteful):
    without = InteractionMatrix(tasteful.csr, tasteful.users, tasteful.items)
    with pytest.raises(ValueError, match=r"has no times, .* rows with event_time"):
        leave_last_out(without)
    assert leave_last_out(InteractionMatrix.from_table(rows())).test.csr.nnz == 0


def test_after_a_cut_the_first_new_item_of_each_known_user_is_tested(rows):
    table = rows(
        *(("a", "x", 1, 0), ("b", "y", 1, 0), ("c", "z", 1, 0)),
        # x is no new item of a; unknown is passed over; z comes later than y.
        *(("a", "x", 1, 5), ("a", "unknown", 1, 5), ("a", "z", 1, 8), ("a", "y", 1, 6)),
        *(("new", "x", 1, 6), ("b", "y", 1, 7)),
    )
    split = next_after(table, CUT)
    assert pairs(split.test) == {("a", "y")}
    assert pairs(split.train) == {("a", "x"), ("b", "y"), ("c", "z")}


def test_every_user_of_a_larger_world_has_one_item_to_find(tasteful):
    split = leave_last_out(tasteful)
    assert split.test.csr.nnz + split.unknown_items == 1200
    assert (np.diff(split.test.csr.indptr) <= 1).all()
    last = np.maximum.reduceat(tasteful.times, tasteful.csr.indptr[:-1])
    found = np.flatnonzero(np.diff(split.test.csr.indptr))
    np.testing.assert_array_equal(split.test.times, last[found])
