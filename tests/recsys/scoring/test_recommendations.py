"""The table of recommendations for the warehouse."""

import pyarrow.compute as pc

from recsys import ALS, InteractionMatrix, Popularity, top_n
from recsys.scoring import recommendations


def test_every_user_has_ranks_from_one_to_n(tasteful):
    table = top_n(ALS(factors=8).fit(tasteful.csr), tasteful, 5)
    assert table.schema == recommendations.SCHEMA
    assert table["rank"].to_pylist() == [1, 2, 3, 4, 5] * 1200
    assert pc.unique(table["user_id"]).to_pylist() == tasteful.users.to_pylist()


def test_ids_and_scores_are_those_of_the_model(rows):
    table = rows(("a", "x"), ("b", "x"), ("b", "ÿ"), ("c", "x"), ("c", "ÿ"), ("c", "z"))
    matrix = InteractionMatrix.from_table(table)
    assert top_n(Popularity().fit(matrix.csr), matrix, 2).to_pylist() == [
        {"user_id": "a", "rank": 1, "item_id": "ÿ", "score": 2},
        {"user_id": "a", "rank": 2, "item_id": "z", "score": 1},
        {"user_id": "b", "rank": 1, "item_id": "z", "score": 1},
    ]


def test_users_without_interactions_are_left_out(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("b", "y"), ("c", "x", 0)))
    table = top_n(Popularity().fit(matrix.csr), matrix, 2)
    assert table["user_id"].to_pylist() == ["a", "b"]


def test_batches_change_nothing(tasteful, monkeypatch):
    model = Popularity().fit(tasteful.csr)
    whole = top_n(model, tasteful, 3)
    monkeypatch.setattr("recsys.scoring.ranking.MAX_CELLS", 400 * 70)
    assert top_n(model, tasteful, 3).equals(whole)


def test_an_empty_matrix_gives_an_empty_table(rows):
    matrix = InteractionMatrix.from_table(rows())
    assert top_n(Popularity().fit(matrix.csr), matrix, 3).num_rows == 0
