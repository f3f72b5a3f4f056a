"""How large the body of a request may be.

Belongs here: the limit of what programs and people send to the API. Deliveries of platforms have
limits of their own (`webhooks.bodies`).
"""

from __future__ import annotations

from starlette.exceptions import HTTPException

from resources.web.asgi import Message, Receive, Request
from social_assets.serving.problems import ProblemError

MOST_BODY_BYTES = 4 * 2**20
_TOO_LARGE = f"the body has more than {MOST_BODY_BYTES:,} bytes"
_REMEDY = "Send fewer events at a time."


def limited(request: Request, receive: Receive) -> Receive:
    """The body of a request, whose reading ends with 413 when it is too large.

    Raises ProblemError at once if its length is declared.
    """
    declared = request.first("content-length")
    if declared.isdigit() and int(declared) > MOST_BODY_BYTES:
        raise ProblemError(413, _TOO_LARGE, _REMEDY)
    read = 0

    async def part() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BODY_BYTES:
            # Of the framework, which takes other errors for a body that is no JSON.
            raise HTTPException(413, _TOO_LARGE)
        return message

    return part
