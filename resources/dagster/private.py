"""Parts of Dagster that it does not export, and that the platform needs all the same.

Belongs here: names that we use as they are, with the reason. Classes that we extend stay in the
modules that extend them, because they are slow to import: `event_log`, `sqlite_storage`,
`cli_run_lock`, `default_console`, and `social_assets.operate.ui.webserver`. No other module imports
a private part of Dagster (`tests/unit/test_private_apis.py`): an upgrade is checked in six places.

- tags: names of the run tags for partitions, ranges and retries
- check records: the status of the newest result of a check, for `status` and the alerts
- `make_new_run_id`: a command listens to a run before it starts, so it needs the id first
- `reverse_cron_string_iterator`: when a report's schedule, which people change, was last due
- origins: a run of a command shows on the timeline and can be run again in the UI
"""

from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.origin import (
    DEFAULT_DAGSTER_ENTRY_POINT,
    JobPythonOrigin,
    RepositoryPythonOrigin,
)
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    MAX_RETRIES_TAG,
    PARTITION_NAME_TAG,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id
from dagster._utils.schedules import reverse_cron_string_iterator

CHECKED_AGAINST = "1.13.27"
"""The version of Dagster that these parts were read in."""

__all__ = [
    "AssetCheckEvaluationTargetMaterializationData",
    "COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES",
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "AssetCheckExecutionRecord",
    "AssetCheckExecutionRecordStatus",
    "CHECKED_AGAINST",
    "DEFAULT_DAGSTER_ENTRY_POINT",
    "FINISHED_STATUSES",
    "JobPythonOrigin",
    "LoadableTargetOrigin",
    "MAX_RETRIES_TAG",
    "ManagedGrpcPythonEnvCodeLocationOrigin",
    "ModuleCodePointer",
    "PARTITION_NAME_TAG",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "RepositoryPythonOrigin",
    "SINGLETON_REPOSITORY_NAME",
    "UnresolvedAssetJobDefinition",
    "make_new_run_id",
    "reverse_cron_string_iterator",
]
