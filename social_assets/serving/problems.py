"""Errors as the API answers them: application/problem+json, RFC 9457.

Belongs here: the document and its answer. Each names the parameter, if one is wrong, and what to
do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is not answered."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str,
        *,
        parameter: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.parameter = parameter
        self.retry_after = retry_after

    def document(self, request_id: str) -> dict[str, object]:
        """The members of the problem."""
        members: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
            "request_id": request_id,
        }
        if self.parameter is not None:
            members["parameter"] = self.parameter
        return members

    def headers(self) -> dict[str, str]:
        """Headers beside the media type. No cache keeps a problem."""
        headers = {"Cache-Control": "no-store"}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


def problem_response(
    problem: ProblemError, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer for a problem."""
    return Response(
        json.dumps(problem.document(request_id), ensure_ascii=False),
        problem.status,
        {**problem.headers(), **(headers or {})},
        MEDIA_TYPE,
    )
