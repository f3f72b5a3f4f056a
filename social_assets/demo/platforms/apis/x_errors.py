"""Errors as X writes them.

Belongs here: their bodies. When they are given belongs to `x`.
"""

from __future__ import annotations

from social_assets.demo.platforms.apis.answers import ApiAnswer, JsonObject
from social_assets.demo.platforms.world.accounts import SimulatedAccount

PROBLEM = "application/problem+json"
_PROBLEMS = "https://api.x.com/2/problems/"


def not_found(what: str, value: str, parameter: str) -> JsonObject:
    """Return the error for an id that is unknown."""
    return {
        "value": value,
        "detail": f"Could not find {what} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": what,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}resource-not-found",
    }


def not_authorized(account: SimulatedAccount) -> JsonObject:
    """Return the error for an account that is private."""
    return {
        "resource_id": account.id,
        "parameter": "id",
        "resource_type": "user",
        "section": "data",
        "title": "Authorization Error",
        "value": account.id,
        "detail": f"Sorry, you are not authorized to see the user with id: [{account.id}].",
        "type": f"{_PROBLEMS}not-authorized-for-resource",
    }


def invalid_request(parameter: str, value: str, message: str) -> ApiAnswer:
    """Return 400 for a wrong parameter."""
    body = {
        "errors": [{"parameters": {parameter: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}invalid-request",
    }
    return ApiAnswer(400, body, content_type=PROBLEM)


def forbidden(detail: str) -> ApiAnswer:
    """Return 403."""
    kind = f"{_PROBLEMS}unsupported-authentication"
    body = {"title": "Unsupported Authentication", "detail": detail, "type": kind, "status": 403}
    return ApiAnswer(403, body, content_type=PROBLEM)


def too_many(headers: dict[str, str]) -> ApiAnswer:
    """Return 429 with the headers of the window."""
    title = "Too Many Requests"
    body = {"title": title, "detail": title, "type": "about:blank", "status": 429}
    return ApiAnswer(429, body, headers, PROBLEM)


def usage_capped() -> ApiAnswer:
    """Return the 429 for which waiting is no use."""
    body = {
        "title": "UsageCapExceeded",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": f"{_PROBLEMS}usage-capped",
    }
    return ApiAnswer(429, body, content_type=PROBLEM)


def oauth_error(error: str, description: str) -> ApiAnswer:
    """Return an error of the token endpoint."""
    return ApiAnswer(400, {"error": error, "error_description": description})
