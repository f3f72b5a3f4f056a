"""The origin of a command's run: where its code is, so that the UI shows it and can repeat it.

Belongs here: the origin that Dagster gives to runs that it launches itself, and that
`execute_in_process` leaves out. The timeline shows only runs with an origin, and a run without one
cannot be re-executed. Only this module of the command line uses private names of Dagster.
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
    """Give the runs of a job that this instance object creates the origin of their code."""
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
