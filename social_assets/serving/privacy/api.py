"""`/api/v1/deletions`: requests to forget a person, recorded and read.

Belongs here: the paths and their documents. The id comes in the body of a POST alone, so that no
address and no log of requests has it, and no answer repeats it. The nightly job does what is asked;
requests themselves belong to `control.privacy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from social_assets.contracts.vocabulary import PLATFORM
from social_assets.control.privacy.deletion_requests import DeletionRequest, DeletionRequests
from social_assets.control.privacy.person import LONGEST_ID, Person, PersonNameError
from social_assets.control.schema import now
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.times import UtcTime
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

T = TypeVar("T")


def _not_kept(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(
    prefix=f"{PREFIX}/deletions",
    tags=["privacy"],
    responses={403: {}},
    dependencies=[Depends(_not_kept)],
)

_RequestId = Annotated[str, Path(max_length=100, description="Of the list of requests")]
_Asked = Annotated[Requested, Depends(requested)]


class PersonToForget(BaseModel):
    """Whose records shall be deleted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"id": "17841400008460056", "platform": "instagram"}]},
    )
    id: SecretStr = Field(max_length=LONGEST_ID, description="The platform's id of the person")
    platform: str | None = Field(
        default=None, max_length=50, description="Without one, the id counts on all platforms"
    )


class Deletion(BaseModel):
    """A request. It does not name the person."""

    id: str
    state: Literal["pending", "overdue", "done"]
    platform: str | None
    requested_at: UtcTime
    due_at: UtcTime
    done_at: UtcTime | None


class Deletions(BaseModel):
    """All requests, oldest first."""

    deletions: list[Deletion]


@router.post("", status_code=202)
async def forget(asked: _Asked, person: PersonToForget) -> Deletion:
    """Request that a person is forgotten: the job `forget_persons` does it in the next night.

    The same person again gives the request that is pending. Needs a key of the role `admin` that
    sees all accounts.
    """
    _check_may_forget(asked)
    wanted = _person(person)
    return await _of_store(asked, lambda requests: _document(requests.request(wanted)))


@router.get("")
async def all_deletions(request: Request, asked: _Asked) -> Deletions:
    """All requests, oldest first, and what became of them."""
    _check_may_forget(asked)
    check_parameters(request)
    found = await _of_store(asked, lambda requests: requests.all())
    return Deletions(deletions=[_document(each) for each in found])


@router.get("/{request_id}", responses={404: {}})
async def one_deletion(request: Request, asked: _Asked, request_id: _RequestId) -> Deletion:
    """One request, and what became of it."""
    _check_may_forget(asked)
    check_parameters(request)
    for each in await _of_store(asked, lambda requests: requests.all()):
        if each.id == request_id:
            return _document(each)
    raise ProblemError(
        404,
        "there is no such request",
        f"GET {PREFIX}/deletions lists the requests.",
        parameter="request_id",
    )


def _check_may_forget(asked: Requested) -> None:
    """Raise ProblemError unless the caller may delete records of every account."""
    caller = asked.known_caller
    if not (caller.is_admin and caller.sees_all):
        raise ProblemError(
            403,
            f"the key {caller.name} may not forget persons",
            "Use a key of `social-assets keys create --role admin`, without accounts.",
        )


def _person(named: PersonToForget) -> Person:
    platform = None
    if named.platform is not None:
        platform = PLATFORM.lookup().get(named.platform.strip().casefold())
        if platform is None:
            raise ProblemError(
                400,
                "the platform is not known",
                "Write a platform such as instagram, or leave it out for all of them.",
                parameter="platform",
            )
    try:
        return Person(named.id.get_secret_value(), platform)
    except PersonNameError as error:
        raise ProblemError(400, str(error), "Send the platform's id.", parameter="id") from error


async def _of_store(asked: Requested, work: Callable[[DeletionRequests], T]) -> T:
    services = asked.services
    requests = DeletionRequests(services.store.engine, services.settings.home)
    return await services.store.run(lambda: work(requests))


def _document(request: DeletionRequest) -> Deletion:
    return Deletion.model_validate(
        {
            "id": request.id,
            "state": request.state(now()),
            "platform": request.platform,
            "requested_at": request.requested_at,
            "due_at": request.due_at,
            "done_at": request.done_at,
        }
    )
