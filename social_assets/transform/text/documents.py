"""`text.documents`: the current text of each post and comment, replaced by day.

Belongs here: how days are filled. What the table is, and how a text becomes tokens, stands in
`warehouse.search_tables`. A post may have texts on several days, of which the newest is current:
then the other days are made as well. All days change in one step, so that readers see the old rows
or the new ones. A run that is killed changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from social_assets.lake.lock import stream_lock
from social_assets.transform.text.sources import NOT_BLANK, TextSource, present_sources
from social_assets.warehouse.search_tables import (
    COLUMNS,
    DOCUMENTS,
    create_table,
    documents,
)
from social_assets.warehouse.text_tables import SENTIMENT, create_database
from social_assets.warehouse.text_tables import create_table as create_sentiment

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_STAGING = f"{DOCUMENTS}__staging_"
_NAMES = ", ".join(column.name for column in COLUMNS)
_LOCK = "text_documents"
_DOCUMENT = "kind, platform, document_id"


@dataclass(frozen=True)
class IndexedDays:
    """The days that were made, with those of older texts of their posts; and their documents."""

    days: tuple[date, ...]
    documents: int


def documents_lock(locks: Path) -> AbstractContextManager[None]:
    """The lock of whoever changes documents: a partition holds the days of a month."""
    return stream_lock(locks, _LOCK)


def index_days(
    client: Client, locks: Path, days: Sequence[date], run: str, *, is_erased: bool = False
) -> IndexedDays:
    """Give search the current texts of these days; texts that are gone are no longer found.

    One process at a time, since a partition holds the days of a month. `run` names the staging
    table: no two runs may have the same at a time. `is_erased`: no file may have the rows any more
    that these days had, or had earlier; the months are written anew then.
    """
    for statement in (create_database(), create_sentiment(), create_table()):
        client.command(statement)
    with documents_lock(locks):
        sources = present_sources(client)
        changed = _days_of_same_posts(client, sources, days)
        with _staging_table(client, run) as staging:
            _keep_other_days(client, staging, changed, is_erased=is_erased)
            if sources:
                parameters = {"days": changed}
                client.command(_filled(sources, staging), parameters=parameters)
            _swap(client, staging, changed)
    rows = client.query(
        f"SELECT count() FROM {DOCUMENTS} WHERE event_date IN {{days:Array(Date)}}",
        parameters={"days": changed},
    ).result_rows
    return IndexedDays(tuple(changed), int(rows[0][0]))


def current_texts(sources: Sequence[TextSource], where: str) -> str:
    """A SELECT of the newest text of each post and comment of some days, if it is not blank.

    `where` is a condition on `event_date`. All days of these posts are considered.
    """
    versions = "\n  UNION ALL\n  ".join(_versions(source, sources, where) for source in sources)
    newest = "tuple(event_date, event_time, stream, text_id, account_id, post_id, text,"
    return (
        "WITH newest AS (\n"
        f"  SELECT {_DOCUMENT},\n"
        f"    argMax({newest} document_tags, document_likes),\n"
        "      tuple(changed_at, event_date, stream, text_id)) AS row\n"
        f"  FROM (\n  {versions})\n"
        f"  GROUP BY {_DOCUMENT})\n"
        f"SELECT {_DOCUMENT}, row.1 AS event_date, row.2 AS event_time, row.3 AS stream,\n"
        "  row.4 AS text_id, row.5 AS account_id, row.6 AS post_id, row.7 AS text,\n"
        "  row.8 AS tags, row.9 AS likes, cityHash64(text) AS text_hash\n"
        f"FROM newest WHERE {where} AND match(text, '{NOT_BLANK}')"
    )


def _versions(source: TextSource, sources: Sequence[TextSource], where: str) -> str:
    if source.is_of_one_day:
        return source.versions(where)
    return source.versions(
        f"(toString(platform), {source.document_id}) IN ({_posts(sources, where)})"
    )


def _posts(sources: Sequence[TextSource], where: str) -> str:
    """A SELECT of the posts of some days, which may have texts on others."""
    return " UNION DISTINCT ".join(
        f"SELECT toString(platform), {source.document_id} FROM {source.table} WHERE {where}"
        for source in sources
        if not source.is_of_one_day
    )


def _days_of_same_posts(
    client: Client, sources: Sequence[TextSource], days: Sequence[date]
) -> list[date]:
    """These days, and the others on which their posts, those before too, have texts or rows."""
    where = "event_date IN {days:Array(Date)}"
    known = (
        f"SELECT toString(platform), document_id FROM {DOCUMENTS} WHERE {where} AND kind = 'post'"
    )
    posts = " UNION DISTINCT ".join(filter(None, (_posts(sources, where), known)))
    places = [
        f"SELECT event_date FROM {source.table}\n"
        f"WHERE (toString(platform), {source.document_id}) IN ({posts})"
        for source in sources
        if not source.is_of_one_day
    ]
    places.append(
        f"SELECT event_date FROM {DOCUMENTS}\n"
        f"WHERE kind = 'post' AND (toString(platform), document_id) IN ({posts})"
    )
    found = client.query(" UNION DISTINCT ".join(places), parameters={"days": list(days)})
    return sorted({*days, *(day for (day,) in found.result_rows)})


def _filled(sources: Sequence[TextSource], staging: str) -> str:
    """The INSERT of the documents of some days, with their sentiment if they have it."""
    of_days = "event_date IN {days:Array(Date)}"
    scored = (
        "SELECT texts.*, sentiment.score AS score, sentiment.label AS label\n"
        f"FROM (\n{current_texts(sources, of_days)}) AS texts\n"
        "LEFT ANY JOIN (\n"
        "  SELECT event_date, stream, toString(platform) AS platform, text_id, text_hash,\n"
        "    toNullable(score) AS score, label\n"
        f"  FROM {SENTIMENT} WHERE {of_days}) AS sentiment\n"
        "USING (event_date, stream, platform, text_id, text_hash)"
    )
    return f"INSERT INTO {staging} ({_NAMES})\n{documents(scored)}"


def _keep_other_days(
    client: Client, staging: str, days: Sequence[date], *, is_erased: bool
) -> None:
    """Give the staging table the months of these days, without these days.

    The files of the months are linked, and the rows of these days are only masked in them.
    """
    present = {
        name
        for (name,) in client.query(
            f"SELECT DISTINCT _partition_id FROM {DOCUMENTS}\n"
            "WHERE event_date IN {days:Array(Date)} OR toStartOfMonth(event_date) IN\n"
            "  (SELECT toStartOfMonth(arrayJoin({days:Array(Date)})))",
            parameters={"days": list(days)},
        ).result_rows
    }
    for partition in sorted(present):
        client.command(f"ALTER TABLE {staging} ATTACH PARTITION ID '{partition}' FROM {DOCUMENTS}")
    if present:
        client.command(
            f"DELETE FROM {staging} WHERE event_date IN {{days:Array(Date)}}",
            parameters={"days": list(days)},
        )
    if present and is_erased:
        client.command(f"ALTER TABLE {staging} APPLY DELETED MASK SETTINGS mutations_sync = 2")


def _swap(client: Client, staging: str, days: Sequence[date]) -> None:
    """Replace the months of these days, in one step."""
    filled = {
        name
        for (name,) in client.query(f"SELECT DISTINCT _partition_id FROM {staging}").result_rows
    }
    # ClickHouse refuses to replace a partition by an empty one.
    months = sorted({day.strftime("%Y%m01") for day in days})
    steps = [
        f"REPLACE PARTITION ID '{month}' FROM {staging}"
        if month in filled
        else f"DROP PARTITION ID '{month}'"
        for month in months
    ]
    client.command(f"ALTER TABLE {DOCUMENTS} {', '.join(steps)}")


@contextmanager
def _staging_table(client: Client, run: str) -> Iterator[str]:
    """A staging table of this run, dropped at the end of the block; older ones are dropped too."""
    name = _STAGING + run.replace("-", "_")
    # The caller holds the lock, so no other run fills one.
    left = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE startsWith(concat(database, '.', name), {prefix:String})",
        parameters={"prefix": _STAGING},
    ).result_rows
    for (each,) in left:
        client.command(f"DROP TABLE IF EXISTS {each} SYNC")
    client.command(create_table(name))
    try:
        yield name
    finally:
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")
