"""Cursors of pages: where the next page begins, signed.

Belongs here: writing and reading them. A cursor is bound to its question and to what its caller
sees; one that was changed, or belongs to another question, is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from fastapi import Request

from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested

CURSOR = "cursor"
_SIGNATURE_BYTES = 16


@dataclass(frozen=True)
class Cursors:
    """Writes and reads the cursors of one question."""

    key: bytes
    question: str

    @classmethod
    def of(cls, request: Request, asked: Requested) -> Cursors:
        """For the question of a request, whatever its page."""
        params = [pair for pair in request.query_params.multi_items() if pair[0] != CURSOR]
        question = json.dumps([asked.known_caller.scope, request.url.path, sorted(params)])
        token = asked.services.settings.token.encode()
        return cls(hmac.digest(token, b"cursors of the API", "sha256"), question)

    def write(self, place: list[str | int]) -> str:
        """The cursor of a place."""
        text = json.dumps(place, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._signature(text) + text).decode().rstrip("=")

    def read(self, cursor: str) -> list[str | int]:
        """The place. Raises ProblemError if this server has not written the cursor."""
        try:
            data = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            data = b""
        signature, text = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(text)):
            raise ProblemError(
                400,
                "the cursor was changed, or belongs to another question",
                "Take `next` from the answer of the page before, with the same parameters; or "
                "leave the cursor out, for the first page.",
                parameter=CURSOR,
            )
        place: list[str | int] = json.loads(text)
        return place

    def _signature(self, text: bytes) -> bytes:
        signed = hashlib.sha256(self.question.encode()).digest() + text
        return hmac.digest(self.key, signed, "sha256")[:_SIGNATURE_BYTES]
