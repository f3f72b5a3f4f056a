"""Paths beside the API and the dashboards: figures for Prometheus, and the description of the API.

Belongs here: `/metrics` and `/docs`. The page of `/docs` is made here from the OpenAPI document,
since the usual ones load their scripts from other servers.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from social_assets.serving.figures import MEDIA_TYPE
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

router = APIRouter(include_in_schema=False)

_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = """:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem}h2{margin-top:2.5rem;font-size:1.1rem;overflow-wrap:anywhere}
code{font:.92em ui-monospace,monospace}table{border-collapse:collapse;width:100%}th,td{text-align:
left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}pre{overflow-x:
auto;border:1px solid #8884;border-radius:6px;padding:.75rem}.method{font-weight:700}"""


@router.get("/metrics")
async def figures(asked: Annotated[Requested, Depends(requested)]) -> Response:
    """What the server counts of itself."""
    if not asked.known_caller.sees_all:
        raise ProblemError(
            403, "the figures are of all accounts", "Use a key that sees all accounts."
        )
    kept = asked.services.kept
    return Response(
        asked.services.figures.text(kept.size, len(kept)),
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"},
    )


@router.get("/docs")
async def documentation(request: Request) -> HTMLResponse:
    """The paths of the API, with parameters and examples."""
    document = cast(FastAPI, request.app).openapi()
    return HTMLResponse("".join(_page(document)), headers={"Content-Security-Policy": _CSP})


def _page(document: dict[str, Any]) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API - social-assets'
    yield '</title><meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<style>{_STYLE}</style></head><body><main><h1>API of social-assets</h1>"
    yield "<p>Programs send <code>Authorization: Bearer sa_…</code> with a key of "
    yield "<code>social-assets keys create</code>. Errors are problem documents (RFC 9457) with "
    yield "<code>parameter</code> and <code>remedy</code>. The same for machines: "
    yield '<a href="/openapi.json">/openapi.json</a>.</p>'
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(document, path, method, operation)
    yield "</main></body></html>"


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> Iterator[str]:
    yield f'<h2><span class="method">{method.upper()}</span> <code>{_text(path)}</code></h2>'
    yield f"<p>{_text(operation.get('description', ''))}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table><thead><tr><th>Parameter</th><th>Meaning</th></tr></thead><tbody>"
        for each in parameters:
            needed = ", required" if each.get("required") else ""
            told = each.get("description", each["schema"].get("description", ""))
            values = each["schema"].get("enum")
            told += f" One of {', '.join(v or '(none)' for v in values)}." if values else ""
            default = each["schema"].get("default")
            told += f" Default {default}." if default not in (None, "", []) else ""
            yield f"<tr><td><code>{_text(each['name'])}</code>{needed}</td><td>{_text(told)}</td>"
        yield "</tbody></table>"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" in body:
        name = body["schema"].get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, {})
        yield f"<pre>{_text(json.dumps(schema.get('properties', {}), indent=2))}</pre>"


def _text(value: object) -> str:
    return html.escape(str(value))
