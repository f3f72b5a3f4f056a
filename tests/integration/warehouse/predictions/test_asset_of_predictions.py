"""`predictions/addiction_models` and its check on a real warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import numpy as np
import pytest

from social_assets.defs.predictions.addiction_level import addiction_models, prediction_checks
from social_assets.predictions.tables import GROUPS, MODELS
from tests.integration.warehouse.conftest import WarehouseUnderTest

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def predicting(warehouse: WarehouseUnderTest) -> Iterator[WarehouseUnderTest]:
    """The warehouse without interactions and without predictions."""
    warehouse.client.command("DROP DATABASE IF EXISTS predictions SYNC")
    yield warehouse
    warehouse.client.command("DROP DATABASE IF EXISTS predictions SYNC")


def watched(people: int = 120, each: int = 4) -> list[dict[str, object]]:
    """Who scrolls more says to be more addicted; the oldest are always one point above."""
    random = np.random.default_rng(4)
    rows: list[dict[str, object]] = []
    for user in range(people):
        scrolls, old = int(random.integers(1, 90)), user % 3 == 0
        rows += [
            {
                "event_time": NOON,
                "user_id": f"u{user}",
                "video_id": f"v{video}",
                "age": 61 if old else 22,
                "age_group": "55+" if old else "18-24",
                "gender": "Female" if user % 2 else "Male",
                "scroll_rate": scrolls,
                "addiction_level": min(10, scrolls // 12 + 3 * old),
                "platform": "TikTok",
                "video_length": 10,
                "time_spent_on_video": 5,
            }
            for video in range(each)
        ]
    return rows


def made(warehouse: WarehouseUnderTest) -> dg.ExecuteInProcessResult:
    return dg.materialize([addiction_models(), *prediction_checks], resources=warehouse.resources())


def shown(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node("predictions__addiction_models")
    return {name: value.value for name, value in event.metadata.items()}


def test_a_champion_is_found_and_groups_that_are_predicted_wrong_are_told(
    predicting: WarehouseUnderTest,
) -> None:
    predicting.stream("video_interactions", *watched())
    result = made(predicting)
    told = shown(result)
    assert told["champion"] in {"linear", "boosted"}
    assert told["people"] == 120
    for plot in ("importance", "calibration"):
        assert str(told[plot]).startswith("![")
    [(champions, models)] = predicting.client.query(
        f"SELECT countIf(is_champion), groupArray(model) FROM {MODELS.name}"
    ).result_rows
    assert (champions, sorted(models)) == (1, ["boosted", "linear", "mean"])
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    assert str(check.description).startswith("age_group ")
    again = predicting.client.query(f"SELECT * EXCEPT computed_at FROM {GROUPS.name} ORDER BY ALL")
    made(predicting)
    assert (
        predicting.client.query(
            f"SELECT * EXCEPT computed_at FROM {GROUPS.name} ORDER BY ALL"
        ).result_rows
        == again.result_rows
    )


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_or_one_person_gives_no_champion_and_no_error(
    predicting: WarehouseUnderTest, people: int
) -> None:
    if people:
        predicting.stream("video_interactions", *watched(people))
    result = made(predicting)
    assert shown(result)["champion"] == "none"
    assert "are needed to evaluate a model" in str(shown(result)["reason"])
    assert predicting.value(f"SELECT count() FROM {MODELS.name}") == 0
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
