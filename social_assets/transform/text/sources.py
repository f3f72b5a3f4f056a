"""Which streams have texts, and where their rows hold them.

Belongs here: the declarations, and the query that reads the texts of a day. A stream that has
another text is one more declaration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.warehouse.ddl import DATABASE
from social_assets.warehouse.present_tables import present_tables

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

NOT_BLANK = r"[^\\t-\\r\\x1c-\\x1f\\x85\\pZ]"
"""A character that Python's `str.isspace` does not count as space, for ClickHouse's `match`."""


@dataclass(frozen=True)
class TextSource:
    """A stream whose rows have a text; `text_id` and `text` are SQL over its columns.

    `text_id` identifies a text within a platform and an event date. The stream has the columns
    `account_id` and `post_id`: a comment belongs to the post that it is about.
    """

    stream: str
    text_id: str
    text: str
    kind: str = "post"
    """What it is the text of: a post or a comment."""
    document_id: str = "post_id"
    """SQL of the id of that post or comment: an edited one has several texts."""
    changed_at: str = "event_time"
    """SQL of the time since which a post or comment has this text: the newest is current."""
    tags: str = "tags"
    likes: str = "0"
    is_of_one_day: bool = False
    """Whether all rows of a document have the same event date."""

    @property
    def table(self) -> str:
        """The stream's cleaned table in the warehouse."""
        return f"{DATABASE}.{self.stream}"

    def texts(self, where: str) -> str:
        """A SELECT of the texts that are not blank: one row a text, with the hash of its text."""
        return (
            f"SELECT event_date, event_time, '{self.stream}' AS stream,\n"
            f"  toString(platform) AS platform, {self.text_id} AS text_id, account_id,\n"
            "  post_id,\n"
            f"  {self.text} AS text, cityHash64(text) AS text_hash\n"
            f"FROM {self.table} WHERE {where} AND match(text, '{NOT_BLANK}')"
        )

    def versions(self, where: str) -> str:
        """A SELECT of all texts, blank ones too, with the post or comment that has each.

        A post whose newest text is blank has no text, so blank ones count here.
        """
        return (
            f"SELECT '{self.kind}' AS kind, toString(platform) AS platform,\n"
            f"  {self.document_id} AS document_id, {self.changed_at} AS changed_at,\n"
            f"  event_date, event_time, '{self.stream}' AS stream, {self.text_id} AS text_id,\n"
            f"  account_id, post_id, {self.text} AS text, {self.tags} AS document_tags,\n"
            f"  toUInt64({self.likes}) AS document_likes\n"
            f"FROM {self.table} WHERE {where}"
        )


TEXT_SOURCES = (
    TextSource("posts", "post_id", "content"),
    TextSource(
        "posts_collected",
        "post_version",
        "trimBoth(concat(title, '\\n', content))",
        changed_at="collected_at",
    ),
    TextSource(
        "comments",
        "comment_id",
        "content",
        kind="comment",
        document_id="comment_id",
        tags="CAST([], 'Array(String)')",
        likes="coalesce(likes, 0)",
        is_of_one_day=True,
    ),
)


def present_sources(client: Client) -> tuple[TextSource, ...]:
    """The sources whose tables the warehouse has: a stream's table comes with its first rows."""
    present = present_tables(client, (DATABASE,))
    return tuple(source for source in TEXT_SOURCES if source.table in present)
