"""Which metrics are answered from a table, in the metadata of its asset.

Belongs here: only that, for every layer that dbt builds and metrics read.
"""

from dagster import AssetSpec, MetadataValue

from social_assets.metrics.registry import metrics_from


def with_metrics(spec: AssetSpec) -> AssetSpec:
    """Name in the metadata which metrics are answered from the table."""
    answered = metrics_from(".".join(spec.key.path))
    if not answered:
        return spec
    names = ", ".join(metric.name for metric in answered)
    return spec.merge_attributes(metadata={"metrics": MetadataValue.text(names)})
