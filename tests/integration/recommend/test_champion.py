"""Which candidates become champion."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import recsys
from social_assets.cli.main import cli
from social_assets.recommend.candidates import DAILY, WEEKLY
from social_assets.recommend.experiments import admission
from social_assets.recommend.experiments.analysis import Analysis
from social_assets.recommend.experiments.definition import Experiment, Variant
from social_assets.recommend.experiments.outcomes.exposed_units import ExposureCounts
from social_assets.recommend.experiments.recommendation import Action, Recommendation
from social_assets.recommend.experiments.results_tables import write_analyses
from tests.integration.recommend.recommender_runs import (
    Recommend,
    Warehouse,
    champion_version,
    failure,
    metadata,
    results,
)

pytestmark = pytest.mark.endurance


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
    assert results(second) == {
        "beats_popularity": False,
        "keeps_up_with_champion": True,
        "is_shipped_by_its_experiment": True,
    }
    assert champion_version(artifacts) == first.run_id
    assert warehouse.served() == served


def test_the_champion_refuses_a_candidate_also_without_the_checks(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(followed=0)
    result = recommend("interaction_matrix", "popularity", "als", "challenger", "champion")

    assert not result.success
    assert "the champion stays: als does not beat popularity" in failure(result)
    assert not (artifacts / "champion").exists()


def test_a_worse_recipe_falls_behind_the_champion(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend("interaction_matrix", "popularity", "als", "challenger", "champion")
    again = ("interaction_matrix", "popularity", "als", "challenger", "champion")
    second = recommend(*again, als={"factors": 2})

    assert "als falls behind champion" in failure(second)
    assert champion_version(artifacts) == first.run_id


@pytest.mark.parametrize("variant", ["control", "learned"])
def test_a_model_that_an_experiment_compares_becomes_champion_only_if_it_is_shipped(
    warehouse: Warehouse,
    recommend: Recommend,
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
    variant: str,
) -> None:
    compared = Experiment(
        name="feed",
        title="Feed",
        hypothesis="ALS is better than popularity",
        variants=(Variant("control", model="popularity"), Variant("learned", model="als")),
        goals=("likes",),
        start=date(2026, 11, 1),
        planned_units=100,
    )
    monkeypatch.setattr(admission, "experiments", lambda: (compared,))
    action = Action.KEEP if variant == "control" else Action.SHIP
    analysis = Analysis(
        experiment=compared,
        as_of=date(2026, 11, 20),
        exposures=ExposureCounts({"control": 60, "learned": 60}),
        counted={"control": 60, "learned": 60},
        sample_ratio_p_value=1.0,
        rows=(),
        recommendation=Recommendation(action, variant, "likes say so"),
    )
    write_analyses(warehouse.client, [analysis], "a-run", datetime.now(UTC))
    warehouse.engage()
    result = recommend("interaction_matrix", "popularity", "als", "challenger", "champion")
    assert result.success == (variant == "learned")
    if result.success:
        assert recsys.load(artifacts / "champion").manifest["model"] == "als"
    else:
        assert "experiment feed does not ship als: keep control: likes say so" in failure(result)
        assert not (artifacts / "champion").exists()


def test_the_best_of_all_candidates_becomes_champion_and_its_rivals_are_shown(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    result = recommend()

    rivals = metadata(result, "challenger")
    best = max(("als", *DAILY), key=lambda name: metadata(result, name)["ndcg@10"])
    assert rivals["model"] == best
    assert recsys.load(artifacts / "champion").manifest["model"] == best
    assert all(f"| {name} |" in rivals["candidates"] for name in ("als", "popularity", *DAILY))
    for plot in ("recall_by_length", "by_activity", "by_item_age"):
        assert "(data:image/png;base64," in rivals[plot]


def test_every_model_there_is_can_be_evaluated(warehouse: Warehouse, recommend: Recommend) -> None:
    warehouse.engage()
    result = recommend("interaction_matrix", "popularity", "als", *DAILY, *WEEKLY, "challenger")
    table = metadata(result, "challenger")["candidates"]
    assert all(f"| {name} |" in table for name in ("als", *DAILY, *WEEKLY))


def test_a_rolled_back_champion_serves_again_at_once(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    warehouse.engage(days=1)
    second = recommend()
    assert champion_version(artifacts) == second.run_id
    done = CliRunner().invoke(cli, ["--home", str(artifacts.parent), "recsys", "rollback"])
    assert (done.exit_code, first.run_id in done.output) == (0, True)
    assert champion_version(artifacts) == first.run_id
    assert recommend("top_n").success
    assert {row[3] for row in warehouse.served()} == {first.run_id}


def test_a_candidate_is_not_compared_across_matrices(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity")
    recommend("interaction_matrix", "als", "challenger")
    result = recommend("champion")

    assert "materialize both on one matrix" in failure(result)


def test_a_candidate_whose_matrix_is_gone_must_be_evaluated_again(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    recommend("interaction_matrix", "popularity", "als", "challenger")
    for _ in range(3):
        recommend("interaction_matrix")
    assert "materialize recsys/popularity and recsys/als" in failure(recommend("champion"))


def test_the_same_data_gives_the_same_bytes(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    chain = ("interaction_matrix", "popularity", "graph_filter", "challenger", "champion")
    runs = [recommend(*chain) for _ in range(2)]

    for folder in ("interaction_matrix", "champion/graph_filter"):
        one, other = (files(artifacts / folder / run.run_id) for run in runs)
        assert len(one) >= 4
        assert one == other


def files(folder: Path) -> dict[str, bytes]:
    suffixes = {".npz", ".parquet"}
    found = [path for path in folder.rglob("*") if path.suffix in suffixes]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
