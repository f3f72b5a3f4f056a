"""`text.documents` on a real warehouse: current texts, edits, other days, months, crashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.partitions import daily
from social_assets.defs.text.documents import document_checks, documents
from social_assets.quality.documents import DocumentCounts, count_documents
from social_assets.transform.text import documents as filling
from social_assets.transform.text.documents import IndexedDays, index_days
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.sentiment import score_days
from social_assets.warehouse.search_tables import (
    DOCUMENTS,
    folded,
    pair_token,
    pairs,
    plain_words,
    words,
)
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at
from tests.integration.warehouse.text.test_sentiment_of_texts import comment, post

DAY, NEXT, OTHER_MONTH = date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 3)
Index = Callable[..., IndexedDays]


def collected(post_id: str, content: str, hour: int, day: date = DAY, title: str = "") -> Row:
    return {
        "post_version": f"{post_id}-{hour}",
        "platform": "YouTube",
        "post_id": post_id,
        "account_id": "a1",
        "published_at": at(f"{day} 08:00"),
        "event_time": at(f"{day} 08:00"),
        "collected_at": at(f"{day} {hour:02}:00"),
        "title": title,
        "content": content,
        "tags": ["Black Forest"],
    }


@pytest.fixture
def index(warehouse: WarehouseUnderTest) -> Index:
    def indexed(*days: date, run: str = "run-1") -> IndexedDays:
        return index_days(warehouse.client, warehouse.home.path / "locks", days or (DAY,), run)

    return indexed


def texts(warehouse: WarehouseUnderTest) -> dict[str, str]:
    rows = warehouse.client.query(f"SELECT document_id, content FROM {DOCUMENTS}").result_rows
    assert len(rows) == len(dict(rows))
    return {name: content.strip() for name, content in rows}


def having(warehouse: WarehouseUnderTest, *tokens: str) -> list[str]:
    rows = warehouse.client.query(
        f"SELECT document_id FROM {DOCUMENTS} WHERE hasAllTokens(tokens, {{t:Array(String)}})\n"
        "ORDER BY document_id",
        parameters={"t": list(tokens)},
    ).result_rows
    return [name for (name,) in rows]


def test_posts_and_comments_of_every_stream_are_found(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts", post(1, "A walk along the river"), post(2, " \n"))
    warehouse.stream("posts_collected", collected("v1", "Down the river", 9, title="Canoe"))
    warehouse.stream("comments", comment(1, "River!"))
    assert index() == IndexedDays((DAY,), 3)
    assert having(warehouse, "river") == ["c1", "p1", "v1"]
    assert having(warehouse, "canoe", "#blackforest") == ["v1"]
    assert count_documents(warehouse.client, [DAY]) == DocumentCounts(3, 0, 0, 0, 0)


def test_of_an_edited_post_only_the_newest_text_is_found(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts_collected", collected("v1", "before", 9), collected("v2", "kept", 9))
    index()
    warehouse.stream("posts_collected", collected("v1", "after", 10), collected("v2", "", 10))
    assert count_documents(warehouse.client, [DAY]).stale == 2
    index()
    assert texts(warehouse) == {"v1": "after"}
    assert count_documents(warehouse.client, [DAY]).is_right


def test_a_post_told_on_two_days_is_found_with_the_text_of_the_later_one(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts", post(1, "first"), post(2, "stays"))
    index()
    warehouse.stream("posts", post(1, "second", OTHER_MONTH))
    assert index(OTHER_MONTH).days == (DAY, OTHER_MONTH)
    assert texts(warehouse) == {"p1": "second", "p2": "stays"}
    warehouse.empty("cleaned")
    warehouse.stream("posts", post(1, "first"), post(2, "stays"))
    assert index(OTHER_MONTH).days == (DAY, OTHER_MONTH)
    assert texts(warehouse) == {"p1": "first", "p2": "stays"}


def test_other_days_of_a_month_stay_as_they_are(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts", post(1, "one"), post(2, "two", NEXT))
    index(DAY, NEXT)
    warehouse.empty("cleaned")
    assert index(DAY).documents == 0
    assert texts(warehouse) == {"p2": "two"} and having(warehouse, "two") == ["p2"]
    index(NEXT)
    assert texts(warehouse) == {}


def test_a_document_has_the_sentiment_of_its_text(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts", post(1, "great, I love it"), post(2, "awful"))
    score_days(warehouse.client, lexicon_model(), [DAY], "scores")
    warehouse.stream("posts", post(3, "not scored"))
    index()
    rows = warehouse.client.query(
        f"SELECT document_id, label, isNull(score) FROM {DOCUMENTS} ORDER BY document_id"
    ).result_rows
    assert rows == [("p1", "positive", 0), ("p2", "negative", 0), ("p3", "", 1)]


def test_a_run_that_is_killed_changes_nothing(
    warehouse: WarehouseUnderTest, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.stream("posts", post(1, "before"))
    index()
    warehouse.empty("cleaned")
    warehouse.stream("posts", post(1, "after"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(filling, "_swap", killed)
        with pytest.raises(KeyboardInterrupt):
            index()
    assert texts(warehouse) == {"p1": "before"}
    index()
    assert texts(warehouse) == {"p1": "after"}


def test_the_check_fails_for_a_text_without_its_document(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    warehouse.stream("posts", post(1, "one"), post(2, "two"))
    index()
    assert count_documents(warehouse.client, None).is_right
    warehouse.client.command(f"DELETE FROM {DOCUMENTS} WHERE document_id = 'p1'")
    assert count_documents(warehouse.client, None).missing == 1
    warehouse.client.command(
        f"INSERT INTO {DOCUMENTS} SELECT * REPLACE ([] AS tokens) FROM {DOCUMENTS}"
    )
    found = count_documents(warehouse.client, [DAY])
    assert (found.doubled, found.not_in_index) == (1, 2)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("Straße", ["strasse"]),
        ("l'amour", ["l", "amour"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー", "東"]),
        ("我", ["我"]),
        ("mixed日本語text", ["mixed", "日本", "本語", "text"]),
        ("안녕하세요", ["안녕", "녕하"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("がか", ["がか", "が"]),
        ("🔥👍🏽", ["🔥", "👍"]),
        ("#SummerÉté @Nike.fr", ["#summerete", "@nike.fr", "summerete", "nike"]),
        ("\uff26\uff55\uff4c\uff4c \ufb01ne", ["full", "fine"]),
        ("broken \ufffd text", ["broken", "text"]),
    ],
)
def test_texts_of_any_script_become_words(
    warehouse: WarehouseUnderTest, index: Index, text: str, tokens: list[str]
) -> None:
    warehouse.stream("posts", post(1, text))
    index()
    assert having(warehouse, *tokens) == ["p1"]
    assert count_documents(warehouse.client, [DAY]).is_right


@pytest.mark.parametrize(
    "text", ["A walk, 2 rivers_x!", "x" * 200 + " y", "", "don't <b>", "\t\x00"]
)
def test_words_of_ascii_need_no_query(warehouse: WarehouseUnderTest, text: str) -> None:
    in_order, neighbours = warehouse.client.query(
        f"SELECT in_order, {pairs('in_order')} FROM (\n"
        f"  SELECT {words('plain')} AS in_order FROM (SELECT {folded('{t:String}')} AS plain))",
        parameters={"t": text},
    ).first_row
    assert plain_words(text) == in_order
    assert [pair_token(a, b) for a, b in pairwise(in_order)] == neighbours
    assert plain_words("\u00e9") is None


def test_the_asset_makes_days_and_its_check_passes(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("posts", post(1, "one"), post(2, "two", NEXT))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [documents(), *document_checks],
            instance=instance,
            resources={**warehouse.resources(), "clickhouse": ClickHouseResource()},
            partition_key=daily().get_last_partition_key(),
        )
    assert result.success
    [checked] = result.get_asset_check_evaluations()
    assert checked.passed


def test_locks_are_in_the_home(warehouse: WarehouseUnderTest, index: Index) -> None:
    index()
    assert Path(warehouse.home.path / "locks" / "text_documents.lock").exists()


def test_after_erasing_no_file_has_a_text_that_is_gone(
    warehouse: WarehouseUnderTest, index: Index
) -> None:
    gone, stays = "qwertzuiop", "yxcvbnmkjh"
    warehouse.stream("posts", post(1, gone), post(2, stays, NEXT))
    index(DAY, NEXT)
    warehouse.stream("posts", post(3, "more"))
    index()
    assert files_with(warehouse, gone) and files_with(warehouse, stays)
    warehouse.empty("cleaned")
    warehouse.stream("posts", post(2, stays, NEXT), post(3, "more"))
    locks = warehouse.home.path / "locks"
    index_days(warehouse.client, locks, [DAY], "run-2", is_erased=True)
    assert texts(warehouse) == {"p2": stays, "p3": "more"} and having(warehouse, stays) == ["p2"]
    assert files_with(warehouse, stays) and not files_with(warehouse, gone)


def files_with(warehouse: WarehouseUnderTest, word: str) -> list[Path]:
    """Files of parts of tables that have the word."""
    parts = warehouse.client.query(
        "SELECT path FROM system.parts WHERE active AND database = 'text' AND table = 'documents'"
    ).result_rows
    files = (file for (path,) in parts for file in Path(path).glob("*"))
    return [file for file in files if word.encode() in file.read_bytes()]
