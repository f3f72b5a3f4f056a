"""Reads which sessions and texts are unusual, with their evidence, for the dashboard.

Belongs here: one function a tile. dbt fills the tables; before its first run the tiles are empty.
"""

from __future__ import annotations

from social_assets.serving.charts.figures import Cell, ColumnRole, TileColumn, TileFigures
from social_assets.serving.dashboards.health.tile import HealthSource
from social_assets.warehouse.tables import is_of_missing_table

UNUSUAL_SESSIONS, COORDINATED_TEXTS = "features.unusual_sessions", "features.coordinated_texts"
_SHOWN = 50
_EXAMPLE_CHARACTERS = 160
_PLATFORM = TileColumn("platform", "Platform", ColumnRole.TEXT)
_BEGAN = TileColumn("began", "Began, UTC", ColumnRole.TEXT)
_AT = "formatDateTime({}, '%Y-%m-%d %H:%i:%S', 'UTC')"
_WITHIN = (
    "event_time >= {start:DateTime64(6, 'UTC')} AND event_time < {end:DateTime64(6, 'UTC')}\n"
    "  AND event_date BETWEEN toDate({start:DateTime64(6, 'UTC')}, 'UTC')\n"
    "  AND toDate({end:DateTime64(6, 'UTC')}, 'UTC')"
)


def sessions(source: HealthSource) -> TileFigures:
    """The unusual sessions of the range with most events, and the pace of each."""
    found = _rows(
        source,
        "WITH listed AS (\n"
        f"  SELECT * FROM {UNUSUAL_SESSIONS} WHERE {_WITHIN}\n"
        f"  ORDER BY events DESC, event_time, user_key LIMIT {_SHOWN})\n"
        f"SELECT {_AT.format('listed.event_time')}, platforms.platform,\n"
        "  users.user_id, listed.kind, listed.events, listed.items, listed.busiest_minute,\n"
        "  listed.typical_minute, listed.median_gap_seconds\n"
        "FROM listed\n"
        "LEFT JOIN (SELECT platform_key, any(platform) AS platform FROM star.dim_platform\n"
        "  GROUP BY platform_key) AS platforms ON platforms.platform_key = listed.platform_key\n"
        "LEFT JOIN (SELECT user_key, any(user_id) AS user_id FROM star.dim_user\n"
        "  WHERE user_key IN (SELECT user_key FROM listed) GROUP BY user_key) AS users\n"
        "  ON users.user_key = listed.user_key\n"
        "ORDER BY listed.events DESC, listed.event_time, users.user_id",
    )
    columns = (
        _BEGAN,
        _PLATFORM,
        TileColumn("user", "User", ColumnRole.TEXT),
        TileColumn("kind", "Why", ColumnRole.TEXT),
        TileColumn("events", "Events", ColumnRole.VALUE, is_whole=True),
        TileColumn("items", "Items", ColumnRole.VALUE, is_whole=True),
        TileColumn("busiest", "Busiest minute", ColumnRole.VALUE, is_whole=True),
        TileColumn("typical", "Typical minute", ColumnRole.VALUE, is_whole=True),
        TileColumn("gap", "Median gap", ColumnRole.VALUE, "seconds"),
    )
    return TileFigures(columns, found)


def texts(source: HealthSource) -> TileFigures:
    """The bursts of coordinated texts of the range with most authors."""
    found = _rows(
        source,
        f"SELECT {_AT.format('event_time')}, platforms.platform, authors, texts,\n"
        "  dateDiff('second', event_time, ended_at) AS seconds,\n"
        f"  if(link != '', link, substringUTF8(example, 1, {_EXAMPLE_CHARACTERS})) AS what\n"
        f"FROM {COORDINATED_TEXTS} AS bursts\n"
        "LEFT JOIN (SELECT platform_key, any(platform) AS platform FROM star.dim_platform\n"
        "  GROUP BY platform_key) AS platforms ON platforms.platform_key = bursts.platform_key\n"
        f"WHERE {_WITHIN}\nORDER BY authors DESC, event_time LIMIT {_SHOWN}",
    )
    columns = (
        _BEGAN,
        _PLATFORM,
        TileColumn("authors", "Authors", ColumnRole.VALUE, is_whole=True),
        TileColumn("texts", "Texts", ColumnRole.VALUE, is_whole=True),
        TileColumn("seconds", "Seconds", ColumnRole.VALUE, is_whole=True),
        TileColumn("what", "Link or text", ColumnRole.TEXT),
    )
    return TileFigures(columns, found)


def _rows(source: HealthSource, query: str) -> tuple[tuple[Cell, ...], ...]:
    """The rows of a query about the range; none if the tables are not made yet."""
    try:
        answer = source.client.query(query, parameters={"start": source.start, "end": source.end})
    except Exception as error:
        if is_of_missing_table(error):
            return ()
        raise
    return tuple(tuple(row) for row in answer.result_rows)
