"""`text.sentiment`: score and label of each text, replaced by day.

Belongs here: how a day is scored. What the table is stands in `warehouse.text_tables`. Texts that
it has already, unchanged and by the same version of the model, are copied within ClickHouse. The
others are scored in blocks. The day then changes in one step, so that readers see the old rows or
the new ones. A run that is killed changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from social_assets.transform.text.models.model import TextModel
from social_assets.transform.text.sources import TextSource, present_sources
from social_assets.warehouse.text_tables import (
    COLUMNS,
    SENTIMENT,
    create_database,
    create_table,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

_STAGING = f"{SENTIMENT}__staging_"
_NAMES = ", ".join(column.name for column in COLUMNS)


@dataclass(frozen=True)
class ScoredTexts:
    """How many texts of some days were scored, and how many had their score already."""

    scored: int
    kept: int


def score_days(client: Client, model: TextModel, days: Sequence[date], run: str) -> ScoredTexts:
    """Give every text of these days its score by `model`; texts that are gone lose theirs.

    Each day is replaced as a whole when all its texts are scored. `run` names the staging table: no
    two runs may have the same at a time.
    """
    client.command(create_database())
    client.command(create_table())
    _drop_abandoned(client)
    sources = present_sources(client)
    found = [_score_day(client, model, sources, day, run) for day in days]
    return ScoredTexts(sum(each.scored for each in found), sum(each.kept for each in found))


def _score_day(
    client: Client, model: TextModel, sources: Sequence[TextSource], day: date, run: str
) -> ScoredTexts:
    where = f"event_date = toDate('{day}')"
    with _staging_table(client, run) as staging:
        for source in sources:
            client.command(_unchanged(source, where, staging), parameters=_version(model))
        kept = _count(client, staging)
        for source in sources:
            # A text that the staging table has is kept. Others are read while scores are inserted.
            missing = (
                f"SELECT * EXCEPT (event_date) FROM ({source.texts(where)})\n"
                f"WHERE (platform, text_id) NOT IN (\n"
                f"  SELECT platform, text_id FROM {staging} WHERE stream = '{source.stream}')"
            )
            with client.query_arrow_stream(missing, use_strings=True) as blocks:
                for block in blocks:
                    client.insert_arrow(staging, scored_rows(block, model, day))
        rows = _count(client, staging)
        if rows:
            client.command(f"ALTER TABLE {SENTIMENT} REPLACE PARTITION '{day}' FROM {staging}")
        else:
            # ClickHouse refuses to replace a partition by an empty one.
            client.command(f"ALTER TABLE {SENTIMENT} DROP PARTITION '{day}'")
    return ScoredTexts(scored=rows - kept, kept=kept)


def scored_rows(texts: pa.Table, model: TextModel, day: date) -> pa.Table:
    """Rows of `text.sentiment` for a block of texts of a day; texts without a score have none."""
    import pyarrow as pa

    scores = model.score(texts["text"].to_pylist())
    added = {
        "event_date": pa.repeat(pa.scalar(day, pa.date32()), texts.num_rows),
        "score": pa.array(scores.score),
        "label": pa.array(scores.label_names(), pa.string()),
        "model": pa.repeat(model.name, texts.num_rows),
        "model_version": pa.repeat(model.version, texts.num_rows),
    }
    columns = {**{name: texts[name] for name in texts.column_names}, **added}
    rows = pa.table({column.name: columns[column.name] for column in COLUMNS})
    return rows.filter(rows["label"].is_valid())


def _unchanged(source: TextSource, where: str, staging: str) -> str:
    """Copies the rows whose text still is what it was when this version scored it."""
    return (
        f"INSERT INTO {staging} ({_NAMES})\n"
        f"SELECT {_NAMES} FROM {SENTIMENT}\n"
        f"WHERE {where} AND stream = '{source.stream}'\n"
        "  AND model = {model:String} AND model_version = {version:String}\n"
        "  AND (platform, text_id, account_id, post_id, event_time, text_hash) IN (\n"
        "    SELECT platform, text_id, account_id, post_id, event_time, text_hash\n"
        f"    FROM ({source.texts(where)}))"
    )


def _version(model: TextModel) -> dict[str, str]:
    return {"model": model.name, "version": model.version}


def _count(client: Client, table: str) -> int:
    [(rows,)] = client.query(f"SELECT count() FROM {table}").result_rows
    return int(rows)


@contextmanager
def _staging_table(client: Client, run: str) -> Iterator[str]:
    """A staging table of this run, dropped at the end of the block."""
    name = _STAGING + run.replace("-", "_")
    client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    client.command(create_table(name))
    try:
        yield name
    finally:
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")


def _drop_abandoned(client: Client) -> None:
    """Drop the staging tables of runs that were killed."""
    abandoned = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE startsWith(concat(database, '.', name), {prefix:String})\n"
        "  AND metadata_modification_time < now() - INTERVAL 1 DAY",
        parameters={"prefix": _STAGING},
    ).result_rows
    for (name,) in abandoned:
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")
