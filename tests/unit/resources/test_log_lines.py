"""The form of a log line: searchable fields, errors, no secret."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from resources.settings.logs import FORMAT, HumanLines, JsonLines, LogFormatError, is_json


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("social_assets.pipeline", logging.INFO, "", 0, message, (), None)
    made.created = 1_767_225_600.5
    made.__dict__.update(fields)
    return made


def test_a_json_line_is_one_object_with_run_stream_and_batch() -> None:
    text = JsonLines().format(record("clean\ndone", run_id="r", stream="posts", batch_id="b"))
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "2026-01-01T00:00:00.500+00:00",
        "level": "INFO",
        "logger": "social_assets.pipeline",
        "message": "clean\ndone",
        "run_id": "r",
        "stream": "posts",
        "batch_id": "b",
    }


def test_a_human_line_has_the_fields_behind_the_message() -> None:
    line = HumanLines().format(record("clean done", stream="posts", seconds=0.5))
    assert line == "2026-01-01 00:00:00 INFO clean done stream=posts seconds=0.5"


@pytest.mark.parametrize("form", [JsonLines(), HumanLines()])
def test_an_error_comes_with_its_trace_and_without_secrets(
    form: logging.Formatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_SASL_PASSWORD", "hunter2secret")
    made = record("no login with hunter2secret")
    try:
        raise ConnectionError("hunter2secret is wrong")
    except ConnectionError:
        made.exc_info = sys.exc_info()
    line = form.format(made)
    assert "Traceback" in line
    assert "ConnectionError: *** is wrong" in line
    assert "hunter2secret" not in line


def test_an_unknown_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORMAT, "xml")
    with pytest.raises(LogFormatError, match="'xml'; it must be human or json"):
        is_json()
