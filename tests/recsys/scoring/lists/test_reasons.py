"""Which items of a history weighed most for an offered item."""

from datetime import UTC, datetime

import numpy as np
import pytest

from recsys import InteractionMatrix, load, publish
from recsys.models.catalog import new_model
from recsys.scoring.lists.reasons import reasons

PROVENANCE = {
    "metrics": {},
    "data_window": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
    "watermarks": {},
    "code_version": "abc1234",
}


def published(name, matrix, folder, parameters=None):
    model = new_model(name, parameters).fit(matrix.csr)
    return load(publish(model, matrix, folder, version="1", **PROVENANCE))


@pytest.mark.parametrize("name", ["als", "ials", "item_cosine", "ease", "graph_filter", "blend"])
def test_items_of_the_same_taste_are_the_reasons(name, tasteful, tmp_path):
    small = {"added_factors": 8} if name == "blend" else None
    model = published(name, tasteful, tmp_path, small)
    users = [str(user) for user in range(3, 23)]
    same = []
    for user in users:
        offered = model.recommend(user, 1)["item_id"][0].as_py()
        found = reasons(model, user, offered)
        assert found["weight"].to_pylist() == sorted(found["weight"].to_pylist(), reverse=True)
        same += [int(item) % 8 == int(offered) % 8 for item in found["item_id"].to_pylist()]
    assert np.mean(same) > 0.8


def test_the_weight_of_a_linear_model_is_what_the_item_adds(tasteful, tmp_path):
    model = published("ease", tasteful, tmp_path)
    user = model.users[5].as_py()
    offered = model.recommend(user, 1)["item_id"][0].as_py()
    found = reasons(model, user, offered, 2)
    own = model.histories.take(np.array([5]))
    for item, weight in zip(*found.to_pydict().values(), strict=True):
        row = model.item_index(item)
        at = own.lists.indices.tolist().index(row)
        added = model.scorer.values[row] * own.weights[at]
        assert weight == pytest.approx(added[model.item_index(offered)] - added.mean(), abs=1e-5)


def test_popularity_has_no_reasons_and_a_single_item_is_one(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("b", "x"), ("b", "y"), ("c", "y")))
    popular = published("popularity", matrix, tmp_path)
    assert reasons(popular, "a", "y").num_rows == 0
    alike = published("item_cosine", matrix, tmp_path)
    assert reasons(alike, "a", "y")["item_id"].to_pylist() == ["x"]


def test_strangers_and_no_place_are_refused(rows, tmp_path):
    model = published("popularity", InteractionMatrix.from_table(rows(("a", "x"))), tmp_path)
    with pytest.raises(KeyError, match="user 'nobody' is not among the 1 users"):
        reasons(model, "nobody", "x")
    with pytest.raises(KeyError, match="item 'nothing' is not among the 1 items"):
        reasons(model, "a", "nothing")
    with pytest.raises(ValueError, match="n is 0"):
        reasons(model, "a", "x", 0)
