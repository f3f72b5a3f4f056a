"""The Spark session of this process, for code that is not an asset.

Belongs here: asking `dagster-pyspark` for it, with the settings that every session of ours has.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from resources.settings.variables import ENGINE
from resources.spark.resource import SETTINGS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkNotInstalledError(RuntimeError):
    """The engine is Spark, and Spark is not installed."""


def spark_session() -> SparkSession:
    """The session; it starts at the first call, and ends with the process.

    Raises SparkNotInstalledError.
    """
    if find_spec("dagster_pyspark") is None:
        raise SparkNotInstalledError(
            f"{ENGINE} is spark, and the extra is not installed: install social-assets[spark] and "
            "Java 17, or unset the variable"
        )
    # By default Spark's workers would be the system's Python. On a cluster, its owner names one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with warnings.catch_warnings():
        # Spark warns of the newest pandas, which no code of ours passes to it.
        warnings.filterwarnings("ignore", "PySpark does not yet", FutureWarning)
        # Imported here: it imports Spark.
        from dagster_pyspark import LazyPySparkResource

        resource = LazyPySparkResource(spark_config=dict(SETTINGS))
        return cast("SparkSession", resource.spark_session)
