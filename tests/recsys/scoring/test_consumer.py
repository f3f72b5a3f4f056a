"""What a consumer gets where the model knows little: popular items, and a word that says so."""

from datetime import UTC, datetime

from recsys import InteractionMatrix, Popularity, load, publish
from recsys.models.catalog import new_model

PROVENANCE = {
    "metrics": {},
    "data_window": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
    "watermarks": {},
    "code_version": "abc1234",
}


def test_a_user_the_model_does_not_know_gets_what_is_popular(rows, tmp_path):
    table = rows(("b", "x"), ("b", "y"), ("c", "x"), ("d", "q", 0))
    matrix = InteractionMatrix.from_table(table)
    model = load(publish(Popularity().fit(matrix.csr), matrix, tmp_path, version="1", **PROVENANCE))
    answers = model.recommend(["c", "stranger", "d", "b", ""], 2).to_pylist()
    assert [tuple(answer.values()) for answer in answers] == [
        ("c", 1, "y", 1, "model"),
        # The model says nothing of q, which nobody has.
        ("c", 2, "q", 0, "popularity"),
        ("stranger", 1, "x", 2, "popularity"),
        ("stranger", 2, "y", 1, "popularity"),
        # d is known, but not by any interaction.
        ("d", 1, "x", 2, "popularity"),
        ("d", 2, "y", 1, "popularity"),
        ("b", 1, "q", 0, "popularity"),
        ("", 1, "x", 2, "popularity"),
        ("", 2, "y", 1, "popularity"),
    ]
    assert model.recommend("c", 2).to_pylist() == answers[:2]
    assert model.recommend([], 2).num_rows == 0
    assert model.similar_items("y", 5)["item_id"].to_pylist() == ["x"]


def test_a_list_says_which_of_its_items_are_there_by_popularity(rows, tmp_path):
    # a and b share x; p and q are had by others only, q by more; alone has what no other has.
    pairs = ["ax", "ay", "bx", "cp", "cq", "dq", "eq", "fp", "gq"]
    matrix = InteractionMatrix.from_table(rows(*pairs, ("alone", "own")))
    model = new_model("item_cosine").fit(matrix.csr)
    loaded = load(publish(model, matrix, tmp_path, version="1", **PROVENANCE))
    answers = loaded.recommend(["b", "alone"], 3).to_pylist()
    assert [(a["user_id"], a["item_id"], a["source"]) for a in answers] == [
        ("b", "y", "model"),
        ("b", "q", "popularity"),
        ("b", "p", "popularity"),
        ("alone", "q", "popularity"),
        ("alone", "p", "popularity"),
        ("alone", "x", "popularity"),
    ]
    assert [a["score"] for a in answers[1:]] == [0, 0, 4, 2, 2]
    new = loaded.recommend_for_items(["x"], 3)
    assert new["item_id"].to_pylist() == ["y", "q", "p"]
    assert new["source"].to_pylist() == ["model", "popularity", "popularity"]
    assert loaded.recommend_for_items(["own"], 1)["source"].to_pylist() == ["popularity"]
