"""The page at /play, and who may use it."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest


def test_the_page_comes_without_a_password_and_loads_nothing_from_elsewhere(ask) -> None:
    answer = ask(method="GET", path="/play", anonymous=True)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"https?://|src=|href=|@import|innerHTML", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_is_refused_under_a_foreign_name(ask) -> None:
    assert ask(method="GET", path="/play", headers={"Host": "evil.example"}).code == 497


@pytest.mark.parametrize("path", ["/", "/play", "/ping"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_a_page_of_another_origin_may_not_ask(ask, path: str, origin: str) -> None:
    answer = ask(method="GET", path=path, query="SELECT 1", headers={"Origin": origin})
    assert (answer.status, answer.code) == (403, 497)


def test_the_page_itself_may_ask(ask) -> None:
    origin = f"http://{ask.address.netloc}"
    assert ask("SELECT 1", headers={"Origin": origin}).text == "1\n"
