"""Lists chosen from a model's best: unlike each other, few of a creator, nothing shown before."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from recsys import InteractionMatrix, Popularity, load, publish
from recsys.models.catalog import new_model
from recsys.scoring.lists.varied_lists import ListRules, recommend_varied

PROVENANCE = {
    "metrics": {},
    "data_window": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
    "watermarks": {},
    "code_version": "abc1234",
}


@pytest.fixture(scope="module")
def model(tasteful, tmp_path_factory):
    fitted = new_model("als", {"factors": 16}).fit(tasteful.csr)
    return load(publish(fitted, tasteful, tmp_path_factory.mktemp("m"), version="1", **PROVENANCE))


def items_of(table, user):
    return [row["item_id"] for row in table.to_pylist() if row["user_id"] == user]


def test_without_rules_the_list_is_the_models(model):
    users = ["3", "14", "3", "stranger"]
    assert recommend_varied(model, users, 10, ListRules()).equals(model.recommend(users, 10))


def test_diversity_brings_other_tastes_into_a_list_and_keeps_its_best_item_first(model):
    users = [str(user) for user in range(40)]

    def tastes(diversity):
        table = recommend_varied(model, users, 10, ListRules(diversity=diversity))
        return sum(len({int(item) % 8 for item in items_of(table, user)}) for user in users)

    assert tastes(0.0) < tastes(0.5) < tastes(0.8)
    best = model.recommend(users, 1)["item_id"].to_pylist()
    varied = recommend_varied(model, users, 10, ListRules(diversity=0.5))
    assert [items_of(varied, user)[0] for user in users] == best


def test_at_most_so_many_items_of_a_creator_are_in_a_list(model):
    # The creator of an item is its last digit but one; items below 10 have none.
    creators = {item: item[-2] for item in model.items.to_pylist() if len(item) > 1}
    rules = ListRules(most_of_creator=1, creators=creators)
    found = items_of(recommend_varied(model, ["3"], 8, rules), "3")
    its = [creators[item] for item in found if item in creators]
    assert len(found) == 8 and len(its) == len(set(its))
    # What is left keeps the model's order.
    order = model.recommend("3", 100)["item_id"].to_pylist()
    assert [order.index(item) for item in found] == sorted(order.index(item) for item in found)


def test_items_without_a_creator_are_not_limited(model):
    found = recommend_varied(model, ["3"], 10, ListRules(most_of_creator=1))
    assert found.equals(model.recommend(["3"], 10))


def test_what_a_user_was_shown_is_left_out_for_this_user_alone(model):
    before = model.recommend(["3", "11"], 10)
    shown = before.filter(pa.compute.equal(before["user_id"], "3")).select(["user_id", "item_id"])
    after = recommend_varied(model, ["3", "11"], 10, ListRules(shown=shown))
    assert not set(items_of(after, "3")) & set(items_of(before, "3"))
    assert items_of(after, "11") == items_of(before, "11")
    following = model.recommend("3", 20)["item_id"].to_pylist()[10:]
    assert items_of(after, "3") == following
    assert after["rank"].to_pylist() == [*range(1, 11)] * 2


def test_ranks_begin_at_one_and_lists_end_where_nothing_is_left(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("b", "x"), ("b", "y"), ("c", "z")))
    small = load(publish(Popularity().fit(matrix.csr), matrix, tmp_path, version="1", **PROVENANCE))
    shown = pa.table({"user_id": ["a"], "item_id": ["y"]})
    found = recommend_varied(small, ["a", "nobody"], 9, ListRules(diversity=0.3, shown=shown))
    assert items_of(found, "a") == ["z"]
    assert len(items_of(found, "nobody")) == 3
    alike = recommend_varied(
        small, ["a"], 9, ListRules(most_of_creator=1, creators={"y": "k", "z": "k"})
    )
    assert len(items_of(alike, "a")) == 1
    assert recommend_varied(small, [], 3, ListRules(diversity=1.0)).num_rows == 0


@pytest.mark.parametrize("wrong", [{"diversity": 1.1}, {"diversity": -1}, {"most_of_creator": 0}])
def test_rules_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        ListRules(**wrong)


def test_no_list_is_asked_for_with_no_place(model):
    with pytest.raises(ValueError, match="n is 0"):
        recommend_varied(model, ["3"], 0, ListRules())
