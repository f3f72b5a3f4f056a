"""ALS by Spark MLlib in local mode: same interface and artifact; serving needs no Spark."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.sparse

from recsys import load, publish
from recsys.models.catalog import COLLABORATIVE, new_model
from recsys.models.spark_als import SparkALS, SparkMissingError

SETTINGS = {"factors": 8, "regularization": 0.02, "iterations": 4, "blocks": 2}


@pytest.fixture(scope="module")
def spark():
    """One session for the module: starting Spark takes longer than the fits."""
    if shutil.which("java") is None and not os.environ.get("CI"):
        pytest.skip("no java on the path, which Spark needs")
    from pyspark.sql import SparkSession

    session = SparkSession.builder.config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def fitted(spark, tasteful):
    return SparkALS(**SETTINGS).fit(tasteful.csr)


@pytest.mark.spark
def test_spark_finds_the_taste_of_a_user(fitted, tasteful):
    ids, _ = fitted.recommend(np.arange(1200), tasteful.csr, 5)
    tastes = np.array(tasteful.items.to_pylist(), dtype=int) % 8
    wanted = np.array(tasteful.users.to_pylist(), dtype=int) % 8
    assert (tastes[ids] == wanted[:, None]).mean() > 0.8


@pytest.mark.spark
def test_one_seed_gives_the_same_factors_in_spark_too(fitted, tasteful):
    again = SparkALS(**SETTINGS).fit(tasteful.csr).factors
    assert again.users.tobytes() == fitted.factors.users.tobytes()
    assert again.items.tobytes() == fitted.factors.items.tobytes()
    other = SparkALS(**SETTINGS, seed=1).fit(tasteful.csr).factors
    assert other.items.tobytes() != fitted.factors.items.tobytes()


@pytest.mark.spark
def test_a_user_known_to_spark_and_the_same_user_new_get_the_same_scores(fitted, tasteful):
    # Spark solves for the users last, so the fold-in of their items must find what Spark found.
    known = fitted.scores(np.arange(50), tasteful.csr[:50])
    np.testing.assert_allclose(fitted.fold_in(tasteful.csr[:50]), known, atol=2e-3)


@pytest.mark.spark
def test_users_and_items_that_spark_has_not_seen_have_factors_of_zero(spark):
    csr = scipy.sparse.csr_matrix(([1.0, 2.0], [0, 2], [0, 2, 2]), shape=(2, 4), dtype=np.float32)
    factors = SparkALS(**SETTINGS).fit(csr).factors
    assert (factors.users.shape, factors.items.shape) == ((2, 8), (4, 8))
    assert not factors.users[1].any()
    assert not factors.items[[1, 3]].any()
    assert factors.items[[0, 2]].any(axis=1).all()


@pytest.mark.spark
def test_what_spark_learned_is_published_and_loaded_as_factors(fitted, tasteful, tmp_path):
    now = datetime(2026, 1, 15, tzinfo=UTC)
    publish(
        fitted,
        tasteful,
        tmp_path,
        version="v1",
        metrics={},
        data_window=(now, now),
        watermarks={},
        code_version="",
    )
    model = load(tmp_path / "spark_als")
    assert model.manifest["scoring"] == "factors"
    assert model.manifest["parameters"] == {**SETTINGS, "alpha": 10.0, "seed": 0}
    ids, _ = fitted.recommend(np.array([7]), tasteful.csr[7], 5)
    expected = [tasteful.items[int(item)].as_py() for item in ids[0]]
    assert model.recommend(tasteful.users[7].as_py(), 5)["item_id"].to_pylist() == expected


@pytest.mark.spark
def test_spark_als_says_when_regularization_leaves_nothing(spark, tasteful):
    with pytest.raises(ValueError, match=r"regularization 1000\.0 outweighs \d+ interactions"):
        SparkALS(**{**SETTINGS, "regularization": 1000.0}).fit(tasteful.csr)


def test_without_pyspark_a_fit_names_the_extra_and_java(tasteful, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SparkMissingError, match=r"pip install 'social-assets\[spark\]', and Java"):
        SparkALS().fit(tasteful.csr)


def test_spark_is_asked_for_by_name_and_imported_by_fitting_alone():
    assert "spark_als" not in COLLABORATIVE
    assert new_model("spark_als", {"factors": 3}).parameters["factors"] == 3
    code = (
        "import sys; from recsys.models.catalog import new_model; new_model('spark_als');"
        "sys.exit('pyspark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_spark_says_that_it_cannot_learn_from_nothing():
    with pytest.raises(ValueError, match="without interactions: widen the data window"):
        SparkALS().fit(scipy.sparse.csr_matrix((3, 4), dtype=np.float32))


def test_spark_als_refuses_parameters_without_meaning():
    with pytest.raises(ValueError, match="spark_als needs factors, iterations and blocks >= 1"):
        SparkALS(blocks=0)
