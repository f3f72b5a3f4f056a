"""Models of the extra `deep` as candidates: able to win where it is installed, else refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import recsys
from tests.integration.recommend.recommender_runs import Recommend, Warehouse, metadata

SMALL = {"width": 16, "blocks": 1, "length": 20, "epochs": 15, "learning_rate": 0.01}


@pytest.mark.deep
def test_a_model_of_sequences_becomes_champion_and_serves_new_reactions_by_their_order(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    result = recommend(
        *("interaction_matrix", "popularity", "sasrec", "challenger", "champion", "top_n"),
        sasrec={"parameters": SMALL},
    )
    assert result.success
    assert "| sasrec |" in metadata(result, "challenger")["candidates"]
    model = recsys.load(artifacts / "champion")
    assert model.manifest["scoring"] == "self_attention"
    assert model.histories.times is not None
    assert {row[3] for row in warehouse.served()} == {result.run_id}

    warehouse.react("1", "p9")
    served = metadata(recommend("top_n"), "top_n")
    assert served["users_ranked"] == 1


@pytest.mark.deep
@pytest.mark.parametrize("model", ["gru4rec", "two_towers"])
def test_each_deep_model_is_evaluated_and_its_champion_loads_without_jax(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path, model: str
) -> None:
    warehouse.engage()
    result = recommend(
        *("interaction_matrix", "popularity", model, "challenger", "champion", "top_n"),
        **{model: {"parameters": {"width": 16, "epochs": 15, "learning_rate": 0.02}}},
    )
    assert result.success
    assert f"| {model} |" in metadata(result, "challenger")["candidates"]
    served = recsys.load(artifacts / "champion")
    assert served.manifest["model"] == model
    assert len(served.recommend("1", 5)) == 5


def test_without_the_extra_a_request_fails_and_says_what_to_install(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optax", None)
    warehouse.engage(days=3)
    result = recommend("interaction_matrix", "sasrec")
    assert not result.success
    [failed] = result.get_step_failure_events()
    assert "pip install 'social-assets[deep]'" in str(failed.step_failure_data.error)
