"""What the recommenders report to Dagster: failures without retry, versions, admissions.

Belongs here: the conversion of values of `recommend` to Dagster's types.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import (
    AssetExecutionContext,
    Failure,
    MetadataValue,
)

from social_assets.recommend.candidates import Admission
from social_assets.recommend.errors import RecommendError


@contextmanager
def failures_without_retry() -> Iterator[None]:
    """Turn a RecommendError of the block into a failure that Dagster does not retry."""
    try:
        yield
    except RecommendError as error:
        raise Failure(str(error), allow_retries=False) from error


def version_of(context: AssetExecutionContext) -> str:
    """The version that a run writes: its id; a second attempt within the run gets another one."""
    run, retry = context.run.run_id, context.op_execution_context.retry_number
    return run if retry == 0 else f"{run}-{retry}"


def admission_metadata(admission: Admission) -> dict[str, MetadataValue]:
    """The reason and the figures of an admission, for the UI."""
    return {
        "reason": MetadataValue.text(admission.reason),
        **{name: MetadataValue.float(value) for name, value in admission.figures.items()},
    }
