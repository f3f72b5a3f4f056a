"""Posts and comments for the page Search: written directly into its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from social_assets.warehouse.search_tables import COLUMNS, DOCUMENTS, documents

RIVERS = 30
TEXTS = (
    ("post", "Instagram", "1024", "p_walk", "A walk along the river Spree. The river is high 🔥"),
    ("post", "X", "7", "p_markup", "<img src=x onerror=alert(1)> & rain by the river"),
    ("post", "YouTube", "9", "p_tower", "東京タワーに行きました #travel"),
    ("comment", "Instagram", "1024", "c_worst", "the worst crème brûlée I ever had"),
    *(
        ("comment", "Facebook", "55", f"c_{n}", f"Comment {n}: " + "words about a river, " * 20)
        for n in range(RIVERS)
    ),
)


def write_texts(client: Client) -> None:
    """Insert them, the first one newest."""
    names = ", ".join(column.name for column in COLUMNS)
    newest = datetime.now(UTC) - timedelta(hours=2)
    for number, (kind, platform, account, name, text) in enumerate(TEXTS):
        label = "negative" if "worst" in text else "neutral"
        values = {
            "time": (newest - timedelta(minutes=number)).strftime("%Y-%m-%d %H:%M:%S"),
            "kind": kind,
            "platform": platform,
            "account": account,
            "name": name,
            "text": text,
            "label": label,
        }
        row = (
            "SELECT toDate({time:String}) AS event_date,\n"
            "  toDateTime64({time:String}, 6, 'UTC') AS event_time,\n"
            "  {kind:String} AS kind, {platform:String} AS platform,\n"
            "  {name:String} AS document_id, {account:String} AS account_id,\n"
            "  {name:String} AS post_id, 'posts' AS stream, {text:String} AS text,\n"
            "  CAST([], 'Array(String)') AS tags, toNullable(toFloat32(0)) AS score,\n"
            "  {label:String} AS label, toUInt64(0) AS likes"
        )
        client.command(f"INSERT INTO {DOCUMENTS} ({names}) {documents(row)}", parameters=values)
