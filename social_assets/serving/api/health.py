"""Whether the server answers questions: for load balancers, which have no key."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.asking.warehouse import WarehouseDownError
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["health"])


class HealthDocument(BaseModel):
    """The state of the server and of what it needs."""

    status: Literal["ok", "degraded"]
    warehouse: Literal["answers", "does not answer"]


@router.get("/health", responses={503: {"model": HealthDocument}})
async def health(
    response: Response, asked: Annotated[Requested, Depends(requested)]
) -> HealthDocument:
    """Whether the warehouse answers. 503 if it does not; cached answers are still given."""
    response.headers["Cache-Control"] = "no-store"
    try:
        await asked.services.warehouse.run(lambda client: client.command("SELECT 1"), asked.id)
    except WarehouseDownError:
        response.status_code = 503
        return HealthDocument(status="degraded", warehouse="does not answer")
    return HealthDocument(status="ok", warehouse="answers")
