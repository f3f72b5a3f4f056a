"""Recommendations for current users by a model that was published earlier."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from recsys import InteractionMatrix, load, publish
from recsys.models.catalog import new_model
from recsys.scoring.current_users import PresentUsers
from recsys.scoring.histories import Histories
from recsys.scoring.ranking import ItemLists

NOW = datetime(2026, 1, 15, tzinfo=UTC)
LEARNED = [
    (user, item) for user in "abcdefgh" for item in "uvwxyz" if ord(user) % 3 != ord(item) % 3
]


@pytest.fixture(scope="module", params=["als", "graph_filter", "ease"])
def model(request, rows, tmp_path_factory):
    matrix = InteractionMatrix.from_table(rows(*LEARNED))
    parameters = {"als": {"factors": 3, "regularization": 1}}.get(request.param)
    fitted = new_model(request.param, parameters).fit(matrix.csr)
    folder = publish(
        fitted,
        matrix,
        tmp_path_factory.mktemp("models"),
        version="v1",
        metrics={},
        data_window=(NOW, NOW),
        watermarks={},
        code_version="",
    )
    return load(folder)


def served(present):
    return pa.table({"user_id": present.users, "history": present.histories.fingerprints()})


def lists(present, users):
    where = [present.users.to_pylist().index(user) for user in users]
    batches = list(present.top_n(np.array(where), 3))
    found = {user: [] for user in users}
    for row in pa.Table.from_batches(batches).to_pylist():
        found[row["user_id"]].append(row["item_id"])
    return found


def test_without_new_events_everyone_is_as_learned_and_gets_what_the_artifact_says(model, rows):
    present = PresentUsers.of(model, rows(*LEARNED))
    assert present.learned.tolist() == list(range(8))
    expected = model.recommend(list("ab"), 3).to_pylist()
    assert lists(present, "ab") == {
        user: [row["item_id"] for row in expected if row["user_id"] == user] for user in "ab"
    }


def test_users_with_more_less_or_otherwise_weighed_items_have_changed(model, rows):
    before = served(PresentUsers.of(model, rows(*LEARNED)))
    without_b = [row for row in LEARNED if row != ("b", "u")]
    table = rows(*without_b, ("a", "u", 2.0), ("c", "w", 0.5))
    present = PresentUsers.of(model, table)
    same = dict(zip(present.users.to_pylist(), present.unchanged(before).tolist(), strict=True))
    assert [user for user, is_same in same.items() if not is_same] == ["a", "b", "c"]
    assert (present.learned == -1).tolist() == [not is_same for is_same in same.values()]


def test_a_newcomer_is_served_by_what_the_newcomer_has(model, rows):
    present = PresentUsers.of(model, rows(*LEARNED, ("new", "u"), ("new", "unheard of")))
    found = lists(present, ["new"])["new"]
    assert found == model.recommend_for_items(["u"], 3)["item_id"].to_pylist()
    assert "u" not in found


def test_who_has_only_items_that_the_model_does_not_know_is_not_served(model, rows):
    present = PresentUsers.of(model, rows(("new", "unheard of"), ("a", "u")))
    assert present.users.to_pylist() == ["a"]
    assert present.among(pa.table({"user_id": ["a", "new"]})).tolist() == [True, False]


def test_a_fingerprint_tells_histories_apart_and_depends_on_nothing_else():
    lists = ItemLists(np.array([0, 2, 4, 6, 6, 8]), np.array([1, 5, 1, 5, 1, 6, 1, 5], np.int32))
    weights = np.array([1, 2, 1, 2, 1, 2, 2, 1], dtype=np.float32)
    one, same, other_item, none, swapped = Histories(lists, weights).fingerprints().tolist()
    assert one == same
    assert none == 0
    assert len({one, other_item, none, swapped}) == 4
    alone = Histories(lists, weights).take(np.array([4, 1])).fingerprints().tolist()
    assert alone == [swapped, one]
