"""The Spark session of this process, for code that is not an asset.

Belongs here: asking `dagster-pyspark` for it, with the settings that every session of ours has.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from resources.settings.variables import ENGINE
from resources.spark.resource import SETTINGS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkNotInstalledError(RuntimeError):
    """The engine is Spark, and Spark is not installed."""


class SparkJarsError(RuntimeError):
    """The session of this process has started without jars that are needed now."""


def spark_session(jars: Sequence[Path] = ()) -> SparkSession:
    """The session; it starts at the first call, with these jars, and ends with the process.

    Raises SparkNotInstalledError, or SparkJarsError if it has started without the jars.
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

        named = {"spark.jars": ",".join(map(str, jars))} if jars else {}
        resource = LazyPySparkResource(spark_config={**SETTINGS, **named})
        session = cast("SparkSession", resource.spark_session)
    has = session.sparkContext.getConf().get("spark.jars") or ""
    if lacking := [jar.name for jar in jars if jar.name not in has]:
        raise SparkJarsError(
            f"Spark runs in this process without {', '.join(lacking)}; drain in a process of its "
            "own"
        )
    return session
