"""Search as programs use it: what is found, in which order, for whom, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from tests.integration.serving.conftest import NOON, Api, running
from tests.integration.warehouse.conftest import WarehouseUnderTest

Ask = Callable[..., Any]
Ids = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("river", {"p1", "p2", "p3", "c1"}),
        ("RIVER walk", {"p1"}),
        ("creme brulee", {"p2"}),
        ("BRÛLÉE", {"p2"}),
        ("black forest", {"p3", "p4"}),
        ('"black forest"', {"p3"}),
        ("\u201cblack forest\u201d", {"p3"}),
        ("rain", {"p6"}),
        ("rain*", {"p6", "p7"}),
        ("#summersale", {"p4"}),
        ("#summer*", {"p4"}),
        ("summersale", {"p4"}),
        ("@NatGeo", {"p4"}),
        ("@natgeographic", set()),
        ("river -walk", {"p2", "p3", "c1"}),
        ('forest -"black forest"', {"p4"}),
        ("river -aw*", {"p1", "p2", "p3"}),
        ("東京", {"p5"}),
        ("京タワ", {"p5"}),
        ("京", {"p5"}),
        ("京東", set()),
        ("🔥", {"p5"}),
        ("river & walk", {"p1"}),
        ("nowhere", set()),
        ("zz*", set()),
    ],
)
def test_words_phrases_beginnings_tags_mentions_and_any_script(
    ids: Ids, q: str, found: set[str]
) -> None:
    assert set(ids(q)) == found
    assert set(ids(q, sort="newest")) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "comment"}, {"c1"}),
        ({"account": "x:2"}, {"p3"}),
        ({"account": ["x:2", "x:1"], "kind": "post"}, {"p1", "p2", "p3"}),
        ({"account": "x:987"}, set()),
        ({"platform": "twitter"}, {"p1", "p2", "p3", "c1"}),
        ({"platform": "instagram"}, set()),
        ({"sentiment": "negative"}, {"c1"}),
        ({"from": f"{NOON:%Y-%m-%d}"}, {"p1", "c1"}),
        ({"from": "2020-01-01", "to": "2020-02-01"}, set()),
        ({"range": "last_30_days"}, {"p1", "p2", "p3", "c1"}),
    ],
)
def test_filters_leave_fewer(ids: Ids, filters: dict[str, Any], found: set[str]) -> None:
    assert set(ids("river", **filters)) == found


def test_relevance_prefers_rare_and_repeated_words_in_short_texts(ids: Ids) -> None:
    found = ids("river")
    assert found[0] == "p1" and found[-1] == "p3"
    assert ids("river", sort="newest") == ["c1", "p1", "p2", "p3"]
    assert ids("river", sort="engagement")[:2] == ["p3", "c1"]


def test_the_score_is_bm25(ask: Ask) -> None:
    """Worked out by hand: 9 documents, 4 have the word, p1 has it three times in 14 words."""
    from math import log

    found = {each["id"]: each["relevance"] for each in ask("river").json()["results"]}
    words = {"p1": 14, "p2": 5, "p3": 13, "p4": 9, "p5": 10, "p6": 7, "p7": 6, "c1": 5, "c2": 3}
    mean = sum(words.values()) / len(words)
    weight = log(1 + (9 - 4 + 0.5) / (4 + 0.5))
    for name, times in (("p1", 3), ("p2", 1), ("p3", 1), ("c1", 1)):
        norm = 1.2 * (0.25 + 0.75 * words[name] / mean)
        assert found[name] == pytest.approx(weight * times * 2.2 / (times + norm), abs=2e-4)


def test_a_snippet_has_marks_and_no_markup(ask: Ask) -> None:
    [found] = ask("alert").json()["results"]
    snippet = found["snippet"]
    assert snippet["text"] == "<b>rain</b> & <script>alert(1)</script>"
    assert [snippet["text"][b:e] for b, e in snippet["marks"]] == ["alert"]
    [tower] = ask("タワー").json()["results"]
    assert [tower["snippet"]["text"][b:e] for b, e in tower["snippet"]["marks"]] == ["タワー"]


def test_a_result_says_what_it_is(ask: Ask) -> None:
    [found] = ask("awful").json()["results"]
    assert (found["kind"], found["platform"], found["id"]) == ("comment", "X", "c1")
    assert (found["account_id"], found["post_id"]) == ("1", "p1")
    assert found["sentiment_label"] == "negative" and found["sentiment"] < -0.5
    assert datetime.fromisoformat(found["written_at"]).tzinfo == UTC


@pytest.mark.parametrize("sort", ["relevance", "newest", "engagement"])
def test_pages_follow_each_other_without_gap_or_repetition(ask: Ask, sort: str) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = ask("river", sort=sort, limit=1, **more).json()
        assert answer["total"] == 4 and answer["is_total_exact"]
        found += [each["id"] for each in answer["results"]]
        cursor = answer["next"]
        assert len(found) <= 4
    assert sorted(found) == ["c1", "p1", "p2", "p3"]


def test_a_key_finds_the_texts_of_its_accounts_only(searched: Api, ask: Ask, ids: Ids) -> None:
    key = searched.key("x:2")
    assert ids("river", key) == ["p3"]
    assert ask("river", key).json()["total"] == 1
    hidden, absent = (ask("river", key, account=name).json() for name in ("x:1", "x:98765"))
    assert hidden == absent and hidden["results"] == []
    seen, alone = ask("forest", key).json(), ask("forest", searched.key("x:2", "x:55")).json()
    assert seen["results"] == alone["results"]


def test_the_same_answer_is_not_sent_twice(searched: Api) -> None:
    client = searched.client()
    first = client.get("/api/v1/search?q=river")
    again = client.get("/api/v1/search?q=river", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert "max-age" in first.headers["cache-control"]


@pytest.mark.parametrize(
    ("q", "filters", "parameter"),
    [
        ("", {}, "q"),
        ("  ", {}, "q"),
        ("...!?", {}, "q"),
        ("-river", {}, "q"),
        ("*", {}, "q"),
        ("a*", {}, "q"),
        ('"', {}, "q"),
        ('say "hello', {}, "q"),
        ("x" * 10_000, {}, "q"),
        ("word " * 100, {}, "q"),
        ("nul\0", {}, "q"),
        ("river", {"platform": "myspace"}, "platform"),
        ("river", {"kind": "song"}, "kind"),
        ("river", {"sentiment": "glad"}, "sentiment"),
        ("river", {"account": "1"}, "account"),
        ("river", {"account": [f"x:{n}" for n in range(101)]}, "account"),
        ("river", {"from": "2026-02-01", "to": "2026-01-01"}, "from"),
        ("river", {"from": "1890-01-01", "to": "2026-01-01"}, "from"),
        ("river", {"range": "always"}, "range"),
        ("river", {"sort": "best"}, "sort"),
        ("river", {"limit": 101}, "limit"),
        ("river", {"limit": 0}, "limit"),
        ("river", {"cursor": "AAAA"}, "cursor"),
        ("river", {"language": "de"}, "language"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_parameter(
    ask: Ask, q: str, filters: dict[str, Any], parameter: str
) -> None:
    answer = ask(q, **filters)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["parameter"] == parameter and problem["remedy"]


def test_a_search_without_text_is_refused(searched: Api) -> None:
    assert searched.client().get("/api/v1/search").json()["parameter"] == "q"


def test_halves_of_surrogate_pairs_find_nothing(searched: Api) -> None:
    answer = searched.client().get("/api/v1/search?q=%ED%A0%80")
    assert answer.status_code == 400 and answer.json()["parameter"] == "q"
    mixed = searched.client().get("/api/v1/search?q=river%ED%A0%80")
    assert mixed.status_code == 200


def test_a_cursor_of_another_search_is_refused(ask: Ask) -> None:
    cursor = ask("river", limit=1).json()["next"]
    assert ask("forest", limit=1, cursor=cursor).json()["parameter"] == "cursor"


@pytest.mark.parametrize(
    "name", ["q", "kind", "platform", "account", "sentiment", "from", "to", "range", "zone", "sort"]
)
@pytest.mark.parametrize("text", ["'; DROP TABLE text.documents --", "{x:String}", "\\' OR 1=1"])
def test_sql_in_a_parameter_is_a_text(ask: Ask, ids: Ids, name: str, text: str) -> None:
    answer = ask(**{"q": "river", name: text})
    assert answer.status_code in (200, 400), answer.text
    assert len(ids("river")) == 4


def test_without_clickhouse_the_answer_is_503_with_retry_after(
    texts: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(texts.home) as api:
        monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
        answer = api.client().get("/api/v1/search?q=river")
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert answer.json()["detail"] == "the warehouse does not answer"
