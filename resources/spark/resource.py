"""Spark as a Dagster resource: the session of `dagster-pyspark`, if the extra `spark` is installed.

Belongs here: the settings that every session of ours has. Where Spark runs is Spark's own setting
(`spark.master` in spark-defaults.conf, or PYSPARK_SUBMIT_ARGS).
"""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from dagster import ConfigurableResource, ResourceDefinition

SETTINGS = MappingProxyType(
    {
        "spark.app.name": "social-assets",
        # Its web page would listen on every address of the machine.
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
)


def spark_resource() -> ConfigurableResource[Any] | ResourceDefinition:
    """Spark's session: it starts when an asset asks for it, and ends with the process of the run.

    Without the extra it is None, so that the graph loads without Spark.
    """
    if find_spec("dagster_pyspark") is None:
        return ResourceDefinition.none_resource("the extra `spark` is not installed")
    # Imported here: it imports Spark.
    from dagster_pyspark import LazyPySparkResource

    session: ConfigurableResource[Any] = LazyPySparkResource(spark_config=dict(SETTINGS))
    return session
