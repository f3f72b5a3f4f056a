"""What a path knows of its request: the services, the caller and the id.

Belongs here: the dependency of FastAPI that all paths share.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from social_assets.serving.callers import Caller
from social_assets.serving.gate import CALLER, MAKE_A_KEY, REQUEST_ID
from social_assets.serving.problems import ProblemError
from social_assets.serving.services import Services


@dataclass(frozen=True)
class Requested:
    """A request that has passed the gate."""

    services: Services
    caller: Caller | None
    """None only for paths that need no key."""
    id: str

    @property
    def known_caller(self) -> Caller:
        """The caller of a path that needs a key."""
        if self.caller is None:
            raise ProblemError(401, "the request shows no valid key", MAKE_A_KEY)
        return self.caller


def requested(request: Request) -> Requested:
    """The request as the gate has passed it on."""
    state = request.scope["state"]
    return Requested(request.app.state.services, state[CALLER], state[REQUEST_ID])
