"""`hidden` removes the secrets of alert URLs from a text, and no other word."""

from __future__ import annotations

import string
from urllib.parse import quote

import pytest

from resources.settings.variables import ALERT_URLS, hidden

URLS = " ".join(
    (
        "json://user:hunter2secret@10.0.0.1:8080/T0ken123?format=markdown",
        "mailtos://alerts:pa55word@mail.example.org:587/posts?to=oncall@example.org",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "https://hooks.slack.com/services/B0CRAB/posts.json?token=s3cr3tvalue",
        "ntfys://reader:allsmallletters@ntfy.example.org/social-assets",
        "ntfys://ntfy.example.org/correct-horse-battery json://example.org/engagement_events",
        "pagerduty://9fde4bb6b5a64a3e8d3f/warehouse",
        "tgram://123456789:AbCdEf-GhIjKlMnOp/-100123456789",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "msteams://workspace/8b799edf-6f98-4d3a-9be7-2862fb4e5752@tenant/abcdefghijklmnopqrstuv",
    )
)
SECRETS = (
    "hunter2secret",
    "T0ken123",
    "pa55word",
    "T1JJ3T3L2",
    "A1BRTD4JD",
    "TIiajkdnlazkcOXrIdevi7FQ",
    "B0CRAB",
    "s3cr3tvalue",
    "allsmallletters",
    "9fde4bb6b5a64a3e8d3f",
    "AbCdEf-GhIjKlMnOp",
    "123456789",
    "4174216298",
    "JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "8b799edf-6f98-4d3a-9be7-2862fb4e5752",
    "abcdefghijklmnopqrstuv",
    "correct-horse-battery",
)
WORDS = (
    *("posts", "posts.json", "cleaned/posts", "json://", "mailtos://", "https://", "slack://"),
    *("the format of a.csv", "the token is refused", "to oncall", "#general"),
    *("mail.example.org:587", "hooks.slack.com", "ntfy.example.org", "10.0.0.1:8080"),
    *("services", "social-assets doctor", "warehouse", "workspace", "tenant", "reader", "alerts"),
    *("user", "example.org", "port 8080", "markdown", "discord", "pagerduty", "msteams", "tgram"),
    *("127.0.0.1:9", "localhost", "raw/engagement_events", "2026-03-01", "batch 0001.ndjson"),
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_of_an_alert_url_is_hidden(secret: str) -> None:
    assert secret not in hidden(f"refused: {secret}", {ALERT_URLS: URLS})


@pytest.mark.parametrize("word", WORDS)
def test_a_scheme_a_host_or_a_file_name_is_not_hidden(word: str) -> None:
    assert hidden(f"cannot read {word}", {ALERT_URLS: URLS}) == f"cannot read {word}"


@pytest.mark.parametrize("special", string.punctuation)
def test_a_password_with_any_special_character_is_hidden_as_written_and_as_read(
    special: str,
) -> None:
    password = f"abc{special}defg"
    url = f"mailtos://alerts:{quote(password, safe='')}@mail.example.org"
    told = hidden(f"{quote(password, safe='')} and {password}", {ALERT_URLS: url})
    assert told == "*** and ***"
