"""What `hidden` takes out of a text: secrets of alert URLs, and no scheme or parameter name."""

from __future__ import annotations

import pytest

from resources.settings.variables import ALERT_URLS, hidden

URL = "json://user:hunter2secret@10.0.0.1:8080/T0ken123?format=markdown mailtos://a:pa55word@x.org"


@pytest.mark.parametrize("secret", ["hunter2secret", "T0ken123", "pa55word"])
def test_a_secret_of_an_alert_url_is_hidden(secret: str) -> None:
    assert secret not in hidden(f"refused: {secret}", {ALERT_URLS: URL})


@pytest.mark.parametrize("word", ["posts.json", "json://", "mailtos://", "the format of a.csv"])
def test_a_scheme_or_a_file_name_is_not_hidden(word: str) -> None:
    assert hidden(f"cannot read {word}", {ALERT_URLS: URL}) == f"cannot read {word}"
