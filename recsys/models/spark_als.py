"""Weighted matrix factorization by Spark MLlib, for a matrix that one machine cannot factorize.

Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008),
as `pyspark.ml.recommendation.ALS` has it, its regularisation scaled by frequency after Zhou et al.,
"Large-scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM 2008).

Belongs here: passing the matrix to Spark and reading the factors. Serving them needs no Spark.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.recommender import FactorRecommender
from recsys.scoring.factors import Factors, FoldIn
from recsys.scoring.ranking import Float32

# Factors start with length one. A fit either keeps them well above this value, or towards zero.
_COLLAPSED = 1e-4


class SparkMissingError(ImportError):
    """Spark was asked for and is not installed; says what to install."""


class SparkALS(FactorRecommender):
    """Factors that minimise, over all pairs, c (p - x.y)^2 + `regularization` times the sum of
    n |x|^2, n a user's items, and likewise over items; p and c as in `als`.

    Where Spark runs is Spark's own setting (`spark.master` in spark-defaults.conf, or
    PYSPARK_SUBMIT_ARGS); all cores of this machine without one. A session that is active is used
    and left open, else one is started for the fit and stopped. One seed and one number of `blocks`
    give the same factors on one machine; on a cluster the order in which blocks arrive may change
    the last digits.

    `fit` raises SparkMissingError without the extra `spark` or Java, and ValueError for a matrix
    without interactions, or where the regularization leaves no factor but zero.
    """

    name = "spark_als"

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 1.0,
        alpha: float = 10.0,
        iterations: int = 10,
        blocks: int = 10,
        seed: int = 0,
    ) -> None:
        if min(factors, iterations, blocks) < 1 or regularization < 0 or alpha <= 0:
            raise ValueError(
                "spark_als needs factors, iterations and blocks >= 1, regularization >= 0 and"
                f" alpha > 0, but has {factors}, {iterations}, {blocks}, {regularization} and"
                f" {alpha}"
            )
        self._parameters = {
            "factors": factors,
            "regularization": regularization,
            "alpha": alpha,
            "iterations": iterations,
            "blocks": blocks,
            "seed": seed,
        }

    @property
    def parameters(self) -> Mapping[str, int | float | str]:
        """As constructed."""
        return dict(self._parameters)

    def _learn(self, user_items: Any) -> Factors:
        users, items = user_items.shape
        if user_items.nnz == 0:
            raise ValueError(
                f"{self.name} cannot learn from {users} users x {items} items without"
                " interactions: widen the data window"
            )
        own = self._parameters
        mean = float(user_items.data.mean(dtype=np.float64))
        with _session() as spark:
            from pyspark.ml.recommendation import ALS

            solver = ALS(
                rank=own["factors"],
                maxIter=own["iterations"],
                regParam=own["regularization"],
                alpha=own["alpha"],
                numUserBlocks=own["blocks"],
                numItemBlocks=own["blocks"],
                seed=own["seed"],
                implicitPrefs=True,
            )
            fitted = solver.fit(spark.createDataFrame(_rows(user_items, mean)))
            of_users = _dense(fitted.userFactors.toArrow(), users)
            of_items = _dense(fitted.itemFactors.toArrow(), items)
        if np.abs(of_items).max() < _COLLAPSED:
            raise ValueError(
                f"{self.name} learned nothing: regularization {own['regularization']} outweighs"
                f" {user_items.nnz} interactions and shrank all factors to zero; lower it"
            )
        folding = FoldIn(gain=own["alpha"] / mean, pull=own["regularization"], exponent=1.0)
        return Factors(of_users, of_items, folding=folding)


def _rows(user_items: Any, mean: float) -> pa.Table:
    """One row for each interaction, with MLlib's column names and weights divided by their mean."""
    entries = user_items.tocoo()
    columns = {
        "user": entries.row.astype(np.int32),
        "item": entries.col.astype(np.int32),
        "rating": (entries.data / mean).astype(np.float32),
    }
    return pa.table(columns)


def _dense(factors: pa.Table, count: int) -> Float32:
    """float32[count, f] of MLlib's rows of id and features; zero where it has no row."""
    features = factors["features"].combine_chunks().flatten().to_numpy()
    features = features.reshape(factors.num_rows, -1)
    dense = np.zeros((count, features.shape[1]), dtype=np.float32)
    dense[factors["id"].to_numpy()] = features
    return dense


def require_spark() -> None:
    """Raise SparkMissingError if Spark cannot start here."""
    try:
        import pyspark.sql  # noqa: F401
    except ImportError as error:
        raise SparkMissingError(
            "spark_als trains by Spark, which is not installed: pip install"
            " 'social-assets[spark]', and Java 17"
        ) from error
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SparkMissingError(
            "spark_als trains by Spark, which needs Java 17: install it, or set JAVA_HOME"
        )


@contextmanager
def _session() -> Iterator[Any]:
    """The active Spark session, or a new one that is stopped after the block."""
    require_spark()
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    # Without Spark's web page, which listens on every address of the machine.
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    builder = SparkSession.builder.appName("social-assets spark_als")
    started = builder.config(map=quiet).getOrCreate()
    try:
        yield started
    finally:
        started.stop()
