"""Errors of a channel are reported without its URL."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import apprise
import pytest

from resources.messages.send import without_secrets
from social_assets.alerts.active import Severity
from social_assets.alerts.channels import Channel
from social_assets.alerts.deliver import deliver
from social_assets.alerts.message import Message

HOOK = Channel("1", "json of SOME_VARIABLE", "json://me:p%40ssword@example.org/hunter2secret")
WORDS = Message("a title", "a body", Severity.WARN)


def answering(*lines: str) -> SimpleNamespace:
    """Apprise's answer if a channel refused a message; it is false, as in Apprise."""

    class Refused(SimpleNamespace):
        def __bool__(self) -> bool:
            return False

    said = [SimpleNamespace(message=line) for line in lines]
    return Refused(logs=lambda: said, status=SimpleNamespace(name="FAILED"))


def test_no_secret_of_a_url_is_shown_as_it_is_written_or_read() -> None:
    text = "POST example.org/hunter2secret as me:p%40ssword (p@ssword): 403"
    assert without_secrets(text, HOOK.url) == "POST example.org/*** as me:*** (***): 403"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            answering("refused by", "https://example.org/hunter2secret"),
            "refused by; https://example.org/***",
        ),
        (answering(), "failed"),
    ],
)
def test_why_a_channel_did_not_take_it_is_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, answer: object, told: str
) -> None:
    def notify(self: apprise.Apprise, **_: Any) -> object:
        return answer

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    assert deliver(HOOK, WORDS) == told


def test_a_url_that_no_channel_has_is_refused_and_not_shown() -> None:
    said = deliver(Channel("1", "what of SOME_VARIABLE", "what://hunter2secret"), WORDS)
    assert said.startswith("Apprise does not know such a URL")
    assert "hunter2secret" not in said
