"""The page at /play, and its access checks."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from urllib.parse import parse_qsl

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


def test_the_page_is_as_wide_as_a_phone_and_follows_the_dark_mode(ask) -> None:
    page = ask(method="GET", path="/play", anonymous=True).text
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "color-scheme: light dark" in page
    assert "prefers-color-scheme: dark" in page
    assert "overflow-x: auto" in page


def test_the_page_asks_for_exact_integers_and_for_one_row_more_than_it_shows(ask) -> None:
    page = ask(method="GET", path="/play", anonymous=True).text
    query = page.split("const asked = ")[1].split(";")[0]
    parameters = dict(parse_qsl("".join(re.findall("'([^']*)'", query))))
    [shown] = re.findall(r"SHOWN = (\d+)", page)
    assert parameters["max_result_rows"] == str(int(shown) + 1)
    exact = ask("SELECT toUInt64(18446744073709551615), nan", **parameters)
    assert json.loads(exact.text)["data"] == [["18446744073709551615", "nan"]]
    assert (
        len(json.loads(ask("SELECT number FROM numbers(1000)", **parameters).text)["data"]) == 1000
    )
    assert (
        len(json.loads(ask("SELECT number FROM numbers(9999)", **parameters).text)["data"]) > 1000
    )


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
