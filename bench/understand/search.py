"""Measures search: milliseconds a question over many texts, by kind of question.

    python -m bench.understand.search [--home HOME] [--texts N] [--questions N]

Texts are made once and stay in the home, for the next measurement. Each question is another one and
goes the whole way: tokens, index, order, texts of the page, marks; without the API's cache. Words
come from texts that are there. Seconds of the processor are those of ClickHouse.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from bench.understand.search_texts import fill
from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.serving.search.ask import find
from social_assets.serving.search.question import SearchTexts
from social_assets.serving.search.read import read_search
from social_assets.warehouse.search_tables import DOCUMENTS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_TARGET = 100.0
_COMMON, _RARE = 100_000, 1_000
"""Texts of ten million that have a word: at least, and at most."""


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--texts", type=int, default=10_000_000)
    parser.add_argument("--questions", type=int, default=40, help="of each kind")
    options = parser.parse_args()
    home = Home(options.home or Path(tempfile.mkdtemp(prefix="search")))
    os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
    ensure_running(home)
    try:
        with ClickHouseResource().client("bench.understand.search") as client:
            begun = time.monotonic()
            fill(client, options.texts)
            figures = [Figure("texts", "to write them", time.monotonic() - begun, "s")]
            figures += list(_sizes(client))
            figures += list(_measured(client, options.questions))
    finally:
        stop(home)
    print(f"home {home.path}")
    print("\n".join(figure.line() for figure in figures))
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _sizes(client: Client) -> Iterator[Figure]:
    database, _, table = DOCUMENTS.partition(".")
    [(rows, parts, size, index)] = client.query(
        "SELECT sum(rows), count(), sum(bytes_on_disk), sum(secondary_indices_compressed_bytes)\n"
        f"FROM system.parts WHERE database = '{database}' AND table = '{table}' AND active"
    ).result_rows
    yield Figure("texts", "rows", rows, "texts")
    yield Figure("texts", "parts", parts, "parts")
    yield Figure("texts", "on disk", size / 2**30, "GiB")
    yield Figure("texts", "of it the index", index / 2**30, "GiB")


def _measured(client: Client, count: int) -> Iterator[Figure]:
    everything: list[float] = []
    for kind, questions in _questions(client, count).items():
        used = _cpu_seconds(client)
        seconds = [_seconds(client, each) for each in questions]
        used = _cpu_seconds(client) - used
        everything += seconds
        yield from _figures(kind, seconds, None)
        yield Figure(kind, "of the processor a question", 1000 * used / len(seconds), "CPU ms")
    yield from _figures("all", everything, _TARGET)


def _cpu_seconds(client: Client) -> float:
    """Of all queries of the server until now. Other work on the machine does not count in it."""
    query = "SELECT value FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'"
    return float(client.query(query).result_rows[0][0]) / 1e6


def _figures(kind: str, seconds: Sequence[float], target: float | None) -> Iterator[Figure]:
    ordered = sorted(1000 * each for each in seconds)
    for share in (50, 95):
        value = ordered[min(len(ordered) - 1, len(ordered) * share // 100)]
        bound = _TARGET if share == 95 else None
        yield Figure(kind, f"p{share} of {len(ordered)} questions", value, "ms", target and bound)


def _seconds(client: Client, texts: SearchTexts) -> float:
    search = read_search(texts, datetime.now(UTC))
    begun = time.monotonic()
    find(client, search)
    return time.monotonic() - begun


def _questions(client: Client, count: int) -> dict[str, list[SearchTexts]]:
    """Questions by kind, of the words of texts."""
    drawn = random.Random(7)  # noqa: S311
    common, rare, other = _words(client)
    texts = _contents(client, 40 * count)
    chinese = [run for text in texts for run in re.findall("[\u4e00-\u9fff]{4,}", text)]
    latin = [text.split() for text in texts]

    def some(words: Sequence[str]) -> list[str]:
        return [drawn.choice(words) for _ in range(count)]

    pairs = [
        f"{words[place]} {words[place + 1]}"
        for words in drawn.sample(latin, count)
        if len(words) > 4
        for place in (drawn.randrange(3),)
    ]
    return {
        "rare word": [SearchTexts(word) for word in some(rare)],
        "common word": [SearchTexts(word) for word in some(common)],
        "other word": [SearchTexts(word) for word in some(other)],
        "two words": [
            SearchTexts(f"{a} {b}") for a, b in zip(some(common), some(other), strict=True)
        ],
        "phrase": [SearchTexts(f'"{pair}"') for pair in pairs],
        "beginning": [SearchTexts(f"{word[:5]}*") for word in some(other)],
        "Chinese": [
            SearchTexts(run[:3]) for run in drawn.sample(chinese, min(count, len(chinese)))
        ],
        "an account": [
            SearchTexts(word, accounts=(f"x:{drawn.randint(1, 50)}",)) for word in some(common)
        ],
        "a month": [
            SearchTexts(word, start="2025-06-01", end="2025-06-30") for word in some(other)
        ],
        "newest": [SearchTexts(word, order="newest") for word in some((*common, *other))],
    }


def _words(client: Client) -> tuple[list[str], list[str], list[str]]:
    """Words that many, few, and neither many nor few texts have, for the size of the table."""
    database, _, table = DOCUMENTS.partition(".")
    [(rows,)] = client.query(f"SELECT count() FROM {DOCUMENTS}").result_rows
    scale = rows / 10_000_000
    found = client.query(
        "SELECT token, sum(cardinality) AS n\n"
        f"FROM mergeTreeTextIndex({database}, {table}, tokens_index)\n"
        "WHERE match(token, '^[a-z]{4,}$') GROUP BY token\n"
        f"HAVING n >= {100 * scale}"
    ).result_rows
    many = [word for word, n in found if n >= _COMMON * scale]
    few = [word for word, n in found if n <= _RARE * scale]
    between = [word for word, n in found if _RARE * scale < n < _COMMON * scale]
    return many, few, between


def _contents(client: Client, count: int) -> list[str]:
    rows = client.query(
        f"SELECT content FROM {DOCUMENTS} WHERE event_date = '2025-03-09'\n"
        f"ORDER BY cityHash64(document_id) LIMIT {count}"
    ).result_rows
    return [content for (content,) in rows]


if __name__ == "__main__":
    main()
