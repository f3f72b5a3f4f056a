"""Where the code of a command's run lies, so that the UI shows it and can run it again.

Here belongs the origin that Dagster gives to runs that it launches itself, and that
`execute_in_process` leaves out: the timeline shows only runs with one, and a run without it cannot
be re-executed. The one module of the command line that uses names of Dagster that are not exported.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from dagster import DagsterInstance

from resources.dagster.private import (
    DEFAULT_DAGSTER_ENTRY_POINT,
    SINGLETON_REPOSITORY_NAME,
    JobPythonOrigin,
    LoadableTargetOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    ModuleCodePointer,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    RepositoryPythonOrigin,
)
from social_assets.operate.runs.locations import Location

_DEFINITIONS = "defs"


def give_origin(instance: DagsterInstance, location: Location, job: str) -> None:
    """Let the runs of a job that this instance object creates say where their code lies."""
    create = partial(
        instance.create_run_for_job,
        remote_job_origin=_remote_origin(location, job),
        job_code_origin=_code_origin(location, job),
    )
    # `execute_in_process` has no argument for the origins; it calls this method of the instance.
    instance.create_run_for_job = create  # type: ignore[method-assign]


def _remote_origin(location: Location, job: str) -> RemoteJobOrigin:
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=location.module)
    origin = ManagedGrpcPythonEnvCodeLocationOrigin(target, location.value)
    repository = RemoteRepositoryOrigin(origin, SINGLETON_REPOSITORY_NAME)
    return RemoteJobOrigin(repository, job)


def _code_origin(location: Location, job: str) -> JobPythonOrigin:
    pointer = ModuleCodePointer(location.module, _DEFINITIONS, str(Path.cwd()))
    repository = RepositoryPythonOrigin(
        executable_path=sys.executable,
        code_pointer=pointer,
        entry_point=DEFAULT_DAGSTER_ENTRY_POINT,
    )
    return JobPythonOrigin(job, repository)
