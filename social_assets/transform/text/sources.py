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


TEXT_SOURCES = (
    TextSource("posts", "post_id", "content"),
    TextSource("posts_collected", "post_version", "trimBoth(concat(title, '\\n', content))"),
    TextSource("comments", "comment_id", "content"),
)


def present_sources(client: Client) -> tuple[TextSource, ...]:
    """The sources whose tables the warehouse has: a stream's table comes with its first rows."""
    present = present_tables(client, (DATABASE,))
    return tuple(source for source in TEXT_SOURCES if source.table in present)
