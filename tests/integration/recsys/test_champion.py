"""Who becomes champion, and who does not."""

from __future__ import annotations

from pathlib import Path

from recommender_runs import Recommend, Warehouse, champion_version, failure, verdicts


def test_interactions_without_taste_leave_the_champion_as_it_is(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    served = warehouse.served()
    warehouse.forget()
    warehouse.engage(followed=0)
    second = recommend()

    assert not second.success
    assert verdicts(second) == {"beats_popularity": False, "keeps_up_with_champion": True}
    assert champion_version(artifacts) == first.run_id
    assert warehouse.served() == served


def test_the_champion_refuses_a_candidate_also_without_the_checks(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(followed=0)
    result = recommend("interaction_matrix", "popularity", "als", "champion")

    assert not result.success
    assert "the champion stays: als does not beat popularity" in failure(result)
    assert not (artifacts / "champion").exists()


def test_a_worse_recipe_falls_behind_the_champion(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    second = recommend(als={"factors": 2})

    assert not second.success
    assert verdicts(second) == {"beats_popularity": True, "keeps_up_with_champion": False}
    assert champion_version(artifacts) == first.run_id


def test_a_candidate_is_not_compared_across_matrices(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity")
    recommend("interaction_matrix", "als")
    result = recommend("champion")

    assert "materialize both on one matrix" in failure(result)


def test_a_candidate_whose_matrix_is_gone_must_be_judged_again(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity", "als")
    for _ in range(3):
        recommend("interaction_matrix")
    assert "materialize recsys/popularity and recsys/als" in failure(recommend("champion"))


def test_the_same_data_gives_the_same_bytes(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    runs = [recommend("interaction_matrix", "popularity", "als", "champion") for _ in range(2)]

    for folder in ("interaction_matrix", "champion/als"):
        one, other = (files(artifacts / folder / run.run_id) for run in runs)
        assert len(one) >= 4
        assert one == other


def files(folder: Path) -> dict[str, bytes]:
    suffixes = {".npz", ".parquet"}
    found = [path for path in folder.rglob("*") if path.suffix in suffixes]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
