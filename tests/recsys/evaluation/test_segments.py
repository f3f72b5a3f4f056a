"""Metrics for groups of users and items, with their intervals."""

import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from recsys import Popularity, evaluate, temporal_split
from recsys.evaluation.segments import by_activity, by_item_age, interval_of_mean, interval_of_ratio
from recsys.evaluation.split import ages_of_items

CUT = datetime(2026, 1, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def evaluated(tasteful_table):
    split = temporal_split(tasteful_table, CUT)
    return split, evaluate(Popularity().fit(split.train.csr), split.train, split.test)


def test_the_age_of_an_item_is_that_of_its_first_interaction_at_the_cut(rows):
    table = rows(("a", "old", 1, 0), ("b", "old", 1, 9), ("a", "new", 1, 9.5), ("a", "late", 1, 12))
    items = temporal_split(table, CUT).train.items
    assert items.to_pylist() == ["new", "old"]
    assert ages_of_items(table, items, CUT).tolist() == [0.5, 10]
    assert math.isnan(ages_of_items(table, pa.array(["late"]), CUT)[0])


def test_what_was_found_is_told_by_the_age_of_items_as_worked_by_hand(rows):
    # Popularity offers each user two of `old1 old2 new`: those of most users, but not the own one.
    train = [("a", "old1", 1, 0), ("b", "old1", 1, 0), ("c", "old2", 1, 1), ("d", "old2", 1, 1)]
    train += [("e", "old1", 1, 1), ("e", "new", 1, 8)]
    taken = [("a", "old2", 1, 11), ("b", "new", 1, 11), ("c", "old1", 1, 11), ("d", "new", 1, 11)]
    table = rows(*train, *taken)
    split = temporal_split(table, CUT)
    found = evaluate(Popularity().fit(split.train.csr), split.train, split.test, ks=(1, 2))
    ages = ages_of_items(table, split.train.items, CUT)
    assert split.train.items.to_pylist() == ["new", "old1", "old2"]
    assert found.item_tests.tolist() == [2, 1, 1]
    assert found.item_hits.tolist() == [[0, 2], [1, 1], [1, 1]]
    at_one = [(group.label, group.size, group.mean) for group in by_item_age(found, ages, 1, 2)]
    assert at_one == [("2", 2, 0), ("9-10", 2, 1)]
    assert [group.mean for group in by_item_age(found, ages, 2, 2)] == [1, 1]


def test_groups_of_items_hold_all_tests_and_get_older(evaluated, tasteful_table):
    split, found = evaluated
    ages = ages_of_items(tasteful_table, split.train.items, CUT) * np.arange(1, 401)
    groups = by_item_age(found, ages, 10)
    assert sum(group.size for group in groups) == split.test.csr.nnz
    starts = [int(group.label.split("-")[0]) for group in groups]
    assert starts == sorted(starts)
    assert all(group.low <= group.mean <= group.high for group in groups)
    recall = sum(group.mean * group.size for group in groups) / split.test.csr.nnz
    assert recall == pytest.approx(found.item_hits_at(10).sum() / found.item_tests.sum())


def test_groups_of_users_hold_everyone_and_average_to_the_whole(evaluated):
    split, found = evaluated
    groups = by_activity(found, split.train, 10)
    assert len(groups) == 5
    assert sum(group.size for group in groups) == len(found.user_indices)
    average = sum(group.mean * group.size for group in groups) / len(found.user_indices)
    assert average == pytest.approx(found.metrics["ndcg@10"])


def test_nobody_evaluated_means_no_groups(rows):
    split = temporal_split(rows(("a", "x")), CUT)
    found = evaluate(Popularity().fit(split.train.csr), split.train, split.test)
    assert by_activity(found, split.train, 10) == []
    assert by_item_age(found, np.array([1.0]), 10) == []


def test_an_interval_is_that_of_the_normal_theory_for_many():
    values = np.random.default_rng(0).normal(5, 2, 4000)
    low, high = interval_of_mean(values)
    width = 1.96 * 2 / math.sqrt(4000)
    assert high - low == pytest.approx(2 * width, rel=0.15)
    assert interval_of_ratio(values * 3, np.full(4000, 3.0)) == pytest.approx((low, high))
