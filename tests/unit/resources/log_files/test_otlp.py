"""The variables of OpenTelemetry say where log lines are exported to."""

from __future__ import annotations

import pytest

from resources.log_files.otlp import OtlpSettingError, otlp_endpoint
from resources.settings.variables import hidden

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
LOGS = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


def test_nothing_is_exported_unless_an_endpoint_is_named() -> None:
    assert otlp_endpoint({}) is None
    assert otlp_endpoint({BASE: " ", HEADERS: "a=b"}) is None


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({BASE: "http://collector:4318"}, "http://collector:4318/v1/logs"),
        ({BASE: "https://collector/otlp/"}, "https://collector/otlp/v1/logs"),
        ({BASE: "http://other", LOGS: "http://logs:1/in"}, "http://logs:1/in"),
    ],
)
def test_the_path_belongs_to_the_common_endpoint_alone(given: dict[str, str], url: str) -> None:
    found = otlp_endpoint(given)
    assert found is not None and found.url == url and found.timeout == 10


def test_headers_are_written_as_in_urls_and_never_shown() -> None:
    given = {BASE: "http://collector", HEADERS: "Authorization=Basic%20c2VjcmV0, x-tenant = one"}
    found = otlp_endpoint(given)
    assert found is not None
    assert found.headers == {"Authorization": "Basic c2VjcmV0", "x-tenant": "one"}
    assert "c2VjcmV0" not in repr(found)
    assert hidden("sent Basic c2VjcmV0 and Basic%20c2VjcmV0", given) == "sent *** and ***"


def test_the_password_of_an_endpoint_is_never_shown() -> None:
    given = {LOGS: "https://user:password-of-logs@collector/v1/logs"}
    assert hidden("password-of-logs", given) == "***"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({BASE: "collector:4318"}, BASE),
        ({LOGS: "grpc://collector:4317"}, LOGS),
        ({BASE: "http://c", PROTOCOL: "grpc"}, "http/json"),
        ({BASE: "http://c", HEADERS: "secret-without-name"}, HEADERS),
        ({BASE: "http://c", "OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "milliseconds"),
    ],
)
def test_a_wrong_value_is_named_and_no_secret_with_it(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(OtlpSettingError, match=named) as refused:
        otlp_endpoint(wrong)
    assert "secret-without-name" not in str(refused.value)


def test_the_protocol_of_logs_goes_before_the_common_one() -> None:
    given = {BASE: "http://c", PROTOCOL: "grpc", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json"}
    assert otlp_endpoint(given) is not None
