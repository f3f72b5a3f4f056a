"""The database `text`: the table of scored texts, and the views on it.

Belongs here: the tables' columns and DDL. The asset `text/sentiment` fills the table, and a
deployment makes it, so that metrics of a new warehouse have no rows rather than no table. The views
read the table: a day that is replaced is right in them at once. Those of sums read projections of
the table, which ClickHouse keeps with the rows of each day.
"""

from __future__ import annotations

from dataclasses import dataclass

DATABASE = "text"
SENTIMENT = f"{DATABASE}.sentiment"
MEANING = "Sentiment of texts: one row a stream, platform, text and day"


@dataclass(frozen=True)
class TextColumn:
    """A column of a table of texts."""

    name: str
    type: str
    meaning: str


COLUMNS = (
    TextColumn("event_date", "Date", "Day of the text, UTC: the partition"),
    TextColumn("event_time", "DateTime64(6, 'UTC')", "When the text was written, UTC"),
    TextColumn("stream", "LowCardinality(String)", "The stream that has the text"),
    TextColumn("platform", "LowCardinality(String)", "Where it was written"),
    TextColumn("text_id", "String", "The post, the comment, or the version of a collected post"),
    TextColumn("account_id", "String", "The account that published the post"),
    TextColumn("post_id", "String", "The post; of a comment the one that it is about"),
    TextColumn("text_hash", "UInt64", "Hash of the text: another text is scored again"),
    TextColumn("score", "Float32", "From -1, negative, to 1, positive"),
    TextColumn("label", "LowCardinality(String)", "negative, neutral or positive"),
    TextColumn("model", "LowCardinality(String)", "Which model scored it"),
    TextColumn("model_version", "LowCardinality(String)", "Which version of the model"),
)


def keyed(column: str) -> str:
    """SQL of the key of a column, as dbt's macro `surrogate_key` has it."""
    return f"MD5(toString({column}))"


def members_of(column: str) -> str:
    """A SELECT, in parentheses, of the values of a column and their keys."""
    key = f"{column.removesuffix('_id')}_key"
    return f"(SELECT {keyed(column)} AS {key}, {column} FROM {SENTIMENT} GROUP BY {column})"


HOUR = "event_hour"
_OF_HOUR = "toStartOfHour(toDateTime(event_time, 'UTC'))"


@dataclass(frozen=True)
class SumsOfTexts:
    """A view of sums of scores and numbers of texts, and the projection that it reads."""

    name: str
    meaning: str
    keys: tuple[str, ...]
    """The columns of the table whose keys are dimensions."""
    is_hourly: bool = False
    """Whether it has a row an hour; else a row a day."""

    @property
    def table(self) -> str:
        """Its name with the database."""
        return f"{DATABASE}.{self.name}"

    @property
    def columns(self) -> tuple[TextColumn, ...]:
        """The columns of the view."""
        shown = [TextColumn("event_date", "Date", "Day, UTC")]
        if self.is_hourly:
            shown.append(TextColumn(HOUR, "DateTime('UTC')", "Begin of the hour, UTC"))
        shown.append(TextColumn("stream", "LowCardinality(String)", "The stream of the texts"))
        shown += [
            TextColumn(f"{key.removesuffix('_id')}_key", "FixedString(16)", f"MD5 of {key}")
            for key in self.keys
        ]
        return (
            *shown,
            TextColumn("label", "LowCardinality(String)", "negative, neutral or positive"),
            TextColumn("score_sum", "Float64", "Sum of the scores: by the texts it is their mean"),
            TextColumn("texts", "UInt64", "Number of the texts"),
        )

    @property
    def _grouped(self) -> list[str]:
        times = ("event_date", _OF_HOUR) if self.is_hourly else ("event_date",)
        return [*times, "stream", *self.keys, "label"]

    def projection(self) -> str:
        """The projection's name and query: the groups of the view, before keys are hashed."""
        grouped = ", ".join(self._grouped)
        return f"{self.name}\n    (SELECT {grouped}, sum(score), count() GROUP BY {grouped})"

    def create_view(self) -> str:
        """`CREATE OR REPLACE VIEW`."""
        shown = ["event_date", "stream"]
        if self.is_hourly:
            shown.insert(1, f"{_OF_HOUR} AS {HOUR}")
        shown += [f"{keyed(key)} AS {key.removesuffix('_id')}_key" for key in self.keys]
        shown += ["label", "sum(score) AS score_sum", "count() AS texts"]
        return (
            f"CREATE OR REPLACE VIEW {self.table} AS\n"
            f"SELECT {', '.join(shown)}\n"
            f"FROM {SENTIMENT}\n"
            f"GROUP BY {', '.join(self._grouped)}\n"
            f"COMMENT '{self.meaning}'"
        )


ACCOUNT_HOURS = SumsOfTexts(
    name="sentiment_account_hourly",
    meaning="Sums of sentiment: one row an account, platform, stream, label and hour",
    keys=("platform", "account_id"),
    is_hourly=True,
)
ACCOUNT_DAYS = SumsOfTexts(
    name="sentiment_account_daily",
    meaning="Sums of sentiment: one row an account, platform, stream, label and day",
    keys=("platform", "account_id"),
)
POST_DAYS = SumsOfTexts(
    name="sentiment_post_daily",
    meaning="Sums of sentiment: one row a post, account, platform, stream, label and day",
    keys=("platform", "account_id", "post_id"),
)
SUMS = (ACCOUNT_DAYS, ACCOUNT_HOURS, POST_DAYS)

SCORED_TEXTS = f"{DATABASE}.scored_texts"
_TEXTS = (
    f"CREATE OR REPLACE VIEW {SCORED_TEXTS} AS\n"
    f"SELECT event_date, event_time, stream, {keyed('platform')} AS platform_key,\n"
    f"  {keyed('account_id')} AS account_key, {keyed('post_id')} AS post_key, label, score\n"
    f"FROM {SENTIMENT}\n"
    "COMMENT 'Scored texts with the keys of dimensions: one row a stream, platform, text and day'"
)
VIEWS = (SCORED_TEXTS, *(each.table for each in SUMS))
"""The views on the table."""


def create_table(name: str = SENTIMENT) -> str:
    """`CREATE TABLE IF NOT EXISTS` of the table, or of a staging table with its structure.

    It is partitioned by day, so that a day is replaced as a whole. It is ordered by what identifies
    a text, in which the texts of a stream are looked up.
    """
    columns = [f"  {c.name} {c.type} COMMENT '{c.meaning}'" for c in COLUMNS]
    body = ",\n".join([*columns, *(f"  PROJECTION {each.projection()}" for each in SUMS)])
    return (
        f"CREATE TABLE IF NOT EXISTS {name} (\n{body}\n)\n"
        "ENGINE = MergeTree PARTITION BY event_date ORDER BY (stream, platform, text_id)\n"
        f"COMMENT '{MEANING}'"
    )


def create_database() -> str:
    """The statement that creates the database."""
    return f"CREATE DATABASE IF NOT EXISTS {DATABASE}"


def create_texts() -> tuple[str, ...]:
    """The statements that bring table and views to what is declared here.

    A table of an earlier version has no posts and no projections. Its rows have no post until their
    day is made again.
    """
    post = next(f"{c.name} {c.type} COMMENT '{c.meaning}'" for c in COLUMNS if c.name == "post_id")
    added = ", ".join(f"ADD PROJECTION IF NOT EXISTS {each.projection()}" for each in SUMS)
    return (
        create_database(),
        create_table(),
        f"ALTER TABLE {SENTIMENT} ADD COLUMN IF NOT EXISTS {post} AFTER account_id",
        f"ALTER TABLE {SENTIMENT} {added}",
        _TEXTS,
        *(each.create_view() for each in SUMS),
    )
