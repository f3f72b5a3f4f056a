"""ALS by Spark as a candidate: requested by name, compared with the others, able to win."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import recsys
from resources.spark.resource import SETTINGS
from tests.integration.recommend.recommender_runs import Recommend, Warehouse, metadata


@pytest.mark.spark
@pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get("CI"),
    reason="no java on the path, which Spark needs",
)
def test_a_model_that_spark_trained_becomes_champion_and_is_served_without_spark(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    parameters = {"factors": 8, "regularization": 0.02, "iterations": 4, "blocks": 2}
    result = recommend(
        *("interaction_matrix", "popularity", "spark_als", "challenger", "champion", "top_n"),
        spark_als={"parameters": parameters},
    )

    from pyspark.sql import SparkSession

    assert result.success
    session = SparkSession.getActiveSession()
    assert session, "the resource's session is there until the process ends"
    assert session.sparkContext.appName == SETTINGS["spark.app.name"]
    assert "| spark_als |" in metadata(result, "challenger")["candidates"]
    assert recsys.load(artifacts / "champion").manifest["model"] == "spark_als"
    assert {row[3] for row in warehouse.served()} == {result.run_id}
