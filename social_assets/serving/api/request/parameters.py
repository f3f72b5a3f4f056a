"""Parameters of a request that FastAPI cannot declare: `where.<dimension>`, and unknown names.

Belongs here: refusing names that a path does not have, and repeated ones that it reads once. A
misspelt filter that is passed over would give an answer to another question.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, cast

from fastapi import FastAPI, Request

from social_assets.metrics.registry import subjects
from social_assets.serving.problems import ProblemError

WHERE = "where."


def check_parameters(request: Request) -> None:
    """Raise ProblemError for a parameter that the path does not have, or has once only."""
    declared = _declared(request)
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            listed = ", ".join(n for n in declared if not n.startswith(WHERE)) or "none"
            raise ProblemError(
                400,
                f"{name[:100]} is no parameter of this path",
                f"{hint}Its parameters are {listed}; /docs describes them.",
                parameter=name[:100],
            )
        if given.count(name) > 1 and not declared[name]:
            raise ProblemError(
                400,
                f"{name} is given {given.count(name)} times",
                "Give it once.",
                parameter=name,
            )


def _declared(request: Request) -> dict[str, bool]:
    """The parameters of the path in the OpenAPI document, and whether each may be repeated."""
    app = cast(FastAPI, request.app)
    route = request.scope["route"]
    operation: dict[str, Any] = app.openapi()["paths"][route.path_format]["get"]
    return {
        each["name"]: "array" in _types(each["schema"])
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }


def _types(schema: dict[str, Any]) -> set[str]:
    options = schema.get("anyOf", [schema])
    return {str(option.get("type")) for option in options}


def filters_of(request: Request) -> dict[str, tuple[str, ...]]:
    """The values of each `where.<dimension>`."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.query_params.multi_items():
        if name.startswith(WHERE):
            dimension = name.removeprefix(WHERE)
            found[dimension] = (*found.get(dimension, ()), value)
    return found


def filter_parameters() -> list[dict[str, Any]]:
    """The parameters `where.<dimension>` for OpenAPI: one for each dimension that is declared."""
    described = {
        each.name: each.description for subject in subjects() for each in subject.dimensions
    }
    return [
        {
            "name": f"{WHERE}{name}",
            "in": "query",
            "required": False,
            "description": f"Only rows with one of these. {description}",
            "schema": {"type": "array", "items": {"type": "string"}},
        }
        for name, description in sorted(described.items())
    ]


def listed(texts: list[str]) -> tuple[str, ...]:
    """Names that are repeated or separated by commas."""
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())
