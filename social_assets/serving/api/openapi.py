"""The OpenAPI document: what FastAPI knows of the paths, with problems and keys.

Belongs here: what all paths share. Documents of one path are declared beside it.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from social_assets.serving.problems import MEDIA_TYPE

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "remedy", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and where"},
        "remedy": {"type": "string", "description": "What to do"},
        "parameter": {"type": "string", "description": "The parameter that is wrong, if one is"},
        "request_id": {"type": "string", "description": "By which the log is searched"},
    },
    "example": {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "no metric is named 'lkes'; did you mean likes?",
        "remedy": "Correct metrics; /api/v1/metrics lists what may be asked.",
        "parameter": "metrics",
        "request_id": "39315f237d86cd23",
    },
}
_CODES = {
    "400": "A parameter is wrong",
    "401": "No valid key",
    "403": "The key, the Host or the Origin may not",
    "404": "There is no such thing, or the key may not see it",
    "409": "It was changed meanwhile, or its name is taken",
    "415": "The body is no JSON",
    "429": "The key asks too often; see Retry-After",
    "503": "The warehouse or the store does not answer; see Retry-After",
}
_EVERYWHERE = ("400", "401", "403", "415", "429", "503")
_OPEN = "/api/v1/health"


def describe(app: FastAPI) -> None:
    """Complete the document of an application; it is made at the first use, once."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        document = made()
        if is_new:
            _complete(document)
        return document

    app.openapi = complete  # type: ignore[method-assign] # as FastAPI's documentation says


def _complete(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    # What FastAPI would answer by itself; ours are problems.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "sa_..., or a session cookie"}
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)
            if path == _OPEN:
                responses["403"] = _response("403")
                continue
            operation["security"] = [{"key": []}]
            own = {code for code in ("404", "409") if code in responses}
            for code in (*_EVERYWHERE, *sorted(own)):
                responses[code] = _response(code)


def _response(code: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _CODES[code], "content": {MEDIA_TYPE: {"schema": schema}}}
