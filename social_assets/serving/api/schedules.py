"""Report schedules: which report goes to whom, and when; read, made, changed and deleted.

Belongs here: the paths and their documents. A key sees the schedules of its own accounts. Keys need
the role `write` to change anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from social_assets.control.accounts import Account, AccountNameError
from social_assets.control.errors import (
    ChangedMeanwhileError,
    ReportScheduleNameTakenError,
    UnknownReportScheduleError,
)
from social_assets.control.reports.schedules import (
    ReportFormat,
    ReportPlan,
    ReportSchedule,
    ReportSchedules,
)
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.request.scope import check_may_write
from social_assets.serving.api.times import UtcTime
from social_assets.serving.callers import Caller
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

T = TypeVar("T")

router = APIRouter(prefix=f"{PREFIX}/reports/schedule", tags=["reports"])

_Id = Annotated[str, Path(max_length=100, description="Of the list of schedules")]
_Asked = Annotated[Requested, Depends(requested)]


class SchedulePlan(BaseModel):
    """What a person decides about a schedule."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "monday",
                    "report": "weekly_overview",
                    "cron": "0 7 * * 1",
                    "recipients": ["ann@example.org"],
                    "time_zone": "Europe/Berlin",
                }
            ]
        },
    )
    name: str = Field(max_length=100)
    report: str = Field(max_length=100)
    cron: str = Field(max_length=100)
    recipients: list[str] = Field(
        description="E-mail addresses, or secret:NAME for an encrypted URL", max_length=100
    )
    accounts: list[str] | None = Field(
        default=None, description="PLATFORM:ID; null for all accounts", max_length=10_000
    )
    time_zone: str = Field(default="UTC", max_length=64)
    format: ReportFormat = ReportFormat.PDF
    enabled: bool = True


class ChangedPlan(SchedulePlan):
    """A plan in place of the one that was read."""

    version: int = Field(description="The version that was read; another one is a conflict")


class Schedule(SchedulePlan):
    """A schedule as it is stored."""

    id: str
    version: int = Field(description="Each change adds one")
    created_at: UtcTime
    updated_at: UtcTime


class Schedules(BaseModel):
    """The schedules that the key may see."""

    schedules: list[Schedule]


@router.get("")
async def all_schedules(request: Request, asked: _Asked) -> Schedules:
    """All schedules whose accounts the key sees, by name."""
    check_parameters(request)
    found = await asked.services.store.run(_repository(asked).list)
    shown = [_document(each) for each in found if _sees(asked.known_caller, each)]
    return Schedules(schedules=shown)


@router.post("", status_code=201, responses={403: {}, 409: {}})
async def create(asked: _Asked, plan: SchedulePlan) -> Schedule:
    """Make a schedule. 409 if its name is taken."""
    check_may_write(asked.known_caller)
    wanted = _plan(asked.known_caller, plan)
    return _document(await _stored(asked, lambda: _repository(asked).create(wanted)))


@router.get("/{schedule_id}", responses={404: {}})
async def one(request: Request, asked: _Asked, schedule_id: _Id) -> Schedule:
    """One schedule."""
    check_parameters(request)
    return _document(await _visible(asked, schedule_id))


@router.put("/{schedule_id}", responses={403: {}, 404: {}, 409: {}})
async def change(asked: _Asked, schedule_id: _Id, plan: ChangedPlan) -> Schedule:
    """Replace the plan of the version that was read. 409 if it was changed meanwhile."""
    check_may_write(asked.known_caller)
    await _visible(asked, schedule_id)
    wanted = _plan(asked.known_caller, plan)
    return _document(
        await _stored(asked, lambda: _repository(asked).change(schedule_id, plan.version, wanted))
    )


@router.delete("/{schedule_id}", status_code=204, responses={403: {}, 404: {}})
async def delete(asked: _Asked, schedule_id: _Id) -> None:
    """Delete a schedule, and the record of its deliveries."""
    check_may_write(asked.known_caller)
    await _visible(asked, schedule_id)
    await _stored(asked, lambda: _repository(asked).delete(schedule_id))


def _repository(asked: Requested) -> ReportSchedules:
    return ReportSchedules(asked.services.store.engine)


async def _visible(asked: Requested, schedule_id: str) -> ReportSchedule:
    """A schedule that the caller may see. 404 for a hidden one as for one that there is not."""
    found = await _stored(asked, lambda: _repository(asked).get(schedule_id))
    if not _sees(asked.known_caller, found):
        raise _unknown()
    return found


async def _stored(asked: Requested, work: Callable[[], T]) -> T:
    try:
        return await asked.services.store.run(work)
    except UnknownReportScheduleError as error:
        raise _unknown() from error
    except ReportScheduleNameTakenError as error:
        raise ProblemError(409, str(error), "Choose another name.", parameter="name") from error
    except ChangedMeanwhileError as error:
        raise ProblemError(
            409, str(error), "Read the schedule again, and repeat.", parameter="version"
        ) from error


def _unknown() -> ProblemError:
    remedy = f"GET {PREFIX}/reports/schedule lists the schedules."
    return ProblemError(404, "there is no such report schedule", remedy, parameter="schedule_id")


def _sees(caller: Caller, schedule: ReportSchedule) -> bool:
    if caller.accounts is None:
        return True
    accounts = schedule.plan.accounts
    return accounts is not None and all(
        caller.allows(each.platform, each.account_id) for each in accounts
    )


def _plan(caller: Caller, plan: SchedulePlan) -> ReportPlan:
    try:
        accounts = None if plan.accounts is None else frozenset(map(Account.parse, plan.accounts))
        wanted = ReportPlan(
            name=plan.name,
            report=plan.report,
            cron=plan.cron,
            recipients=tuple(plan.recipients),
            accounts=accounts,
            time_zone=plan.time_zone,
            format=plan.format,
            enabled=plan.enabled,
        )
    except AccountNameError as error:
        raise ProblemError(
            400, str(error), "Write PLATFORM:ID, such as instagram:1024.", parameter="accounts"
        ) from error
    except ValueError as error:
        raise ProblemError(400, str(error), "Correct the plan and send it again.") from error
    if not caller.sees_all and (
        accounts is None or not all(caller.allows(a.platform, a.account_id) for a in accounts)
    ):
        raise ProblemError(
            403,
            "the report is of accounts that the key does not see, or that there are not",
            f"Name accounts of {PREFIX}/accounts.",
            parameter="accounts",
        )
    return wanted


def _document(schedule: ReportSchedule) -> Schedule:
    plan = schedule.plan
    accounts = None if plan.accounts is None else [str(each) for each in sorted(plan.accounts)]
    return Schedule(
        id=schedule.id,
        version=schedule.version,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
        name=plan.name,
        report=plan.report,
        cron=plan.cron,
        recipients=list(plan.recipients),
        accounts=accounts,
        time_zone=plan.time_zone,
        format=plan.format,
        enabled=plan.enabled,
    )
