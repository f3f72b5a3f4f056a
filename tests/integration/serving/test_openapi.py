"""The API keeps what its OpenAPI document promises, for hundreds of generated requests.

schemathesis generates them from the document, valid and invalid, seeded; the application and its
warehouse are real.
"""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import Any

import pytest
import schemathesis

# Loaded here, by one thread: schemathesis loads it late, and Python 3.11 can fail to parse a module
# while another thread parses: `parse_steadily`.
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from social_assets.control.api_keys import Role
from tests.integration.serving.conftest import Api

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
SETTINGS = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_every_path_is_described_with_its_problems(serving: Api) -> None:
    document = serving.app.openapi()
    assert "/api/v1/query" in document["paths"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            codes = operation["responses"]
            if path != "/api/v1/health":
                assert "401" in codes and "429" in codes, path
                problem = codes["401"]["content"]
                assert list(problem) == ["application/problem+json"], path


@pytest.fixture(autouse=True)
def parse_steadily(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 fails by chance to parse while another thread parses ("AST constructor recursion
    depth mismatch", python/cpython#106905). hypothesis parses its lambdas while the API works.
    """
    parse = ast.parse

    def again(*arguments: Any, **options: Any) -> Any:
        for _ in range(20):
            with suppress(SystemError):
                return parse(*arguments, **options)
        return parse(*arguments, **options)

    monkeypatch.setattr(ast, "parse", again)


# An application of its own: the transport of schemathesis starts and ends it.
def test_no_generated_request_is_answered_otherwise_than_the_document_says(fresh: Api) -> None:
    key = fresh.key(role=Role.WRITE)
    headers = {"Authorization": f"Bearer {key}", "Host": "127.0.0.1:8080"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", fresh.app, headers=headers)
    asked = 0
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(20261128)
            @SETTINGS
            @given(case=found.ok().as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(headers=headers, checks=list(CHECKS))

            # Where any text is a valid one, no request is invalid.
            with suppress(Unsatisfiable):
                ask()
    assert asked > 100
