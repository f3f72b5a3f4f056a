"""Texts for the benchmark of search, made within ClickHouse.

Belongs here: their words and how many have each. A word is drawn by a Zipf distribution (the n-th
most frequent one as often as 1/n) from 200,000, accounts likewise from 20,000. A twentieth of the
texts ends in twelve Chinese characters; a fifth has a hashtag, a seventh a mention, a sixth an
emoji. Texts have 4 to 25 words, in 24 months; seven of ten are comments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_assets.warehouse.search_tables import COLUMNS, DOCUMENTS, create_table, documents
from social_assets.warehouse.text_tables import create_database

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MONTHS = 24
_PARTS = 2
"""Inserts a month: as many parts as a month has that was not merged."""

_VOCABULARY = """SELECT groupArray(word) FROM (SELECT DISTINCT concat(
  ['ka','lo','mi','tre','sha','pen','dor','vi','sun','gre','bla','ste'][cityHash64(number,1)%12+1],
  ['n','r','ta','li','mo','','se','que','ding','tion'][cityHash64(number,2)%10+1],
  ['','a','e','ing','er','s','ly','ment','um','ix','o','','ed','al'][cityHash64(number,3)%14+1],
  if(number < 1500, '',
    ['bo','ri','ne','cu','da','fe','gi','ho','ja','wu'][cityHash64(number,4)%10+1]),
  if(number < 20000, '', lower(substring(base58Encode(toString(cityHash64(number))),1,3)))) AS word
  FROM numbers(250000))"""


def _zipf(seed: str, of: str) -> str:
    return f"toUInt32(exp((cityHash64({seed}) % 16777216) / 16777216 * log({of})))"


def _chinese(seed: str) -> str:
    """A character of 4,096, the first ones most often."""
    place = f"({_zipf(seed, '4096')} - 1)"
    return (
        f"char(0xE4 + intDiv({place}, 1024), 0x80 + intDiv({place}, 64) % 16, 0x80 + {place} % 64)"
    )


_CONTENT = f"""concat(
  arrayStringConcat(arrayMap(i -> v[{_zipf("n, i, 6", "length(v)")}],
    range(toUInt64(4 + cityHash64(n, 7) % 22))), ' '),
  if(cityHash64(n, 8) % 5 = 0, concat(' #', v[{_zipf("n, 9", "length(v)")}]), ''),
  if(cityHash64(n, 8) % 7 = 0, concat(' @user', toString({_zipf("n, 10", "100000")})), ''),
  if(cityHash64(n, 11) % 20 = 0,
    concat(' ', arrayStringConcat(arrayMap(i -> {_chinese("n, i, 13")}, range(12)))), ''),
  if(cityHash64(n, 14) % 6 = 0, ' \U0001f525', ''))"""


def _texts(first: int, count: int, month: int) -> str:
    begin = f"toDateTime64(toDate('2024-12-01') + INTERVAL {month} MONTH, 6, 'UTC')"
    return (
        f"WITH ({_VOCABULARY}) AS v\n"
        f"SELECT {first} + number AS n,\n"
        f"  {begin} + toIntervalSecond(cityHash64(n, 1) % (28 * 86400)) AS event_time,\n"
        "  toDate(event_time) AS event_date,\n"
        "  if(cityHash64(n, 2) % 10 < 7, 'comment', 'post') AS kind,\n"
        "  ['Instagram','Facebook','X','TikTok','YouTube'][cityHash64(n, 3) % 5 + 1] AS platform,\n"
        "  toString(cityHash64(n)) AS document_id,\n"
        f"  toString({_zipf('n, 4', '20000')}) AS account_id,\n"
        "  toString(cityHash64(n, 5) % 1000000) AS post_id, 'comments' AS stream,\n"
        f"  {_CONTENT} AS text, CAST([], 'Array(String)') AS tags,\n"
        "  toNullable(toFloat32((cityHash64(n, 15) % 2001) / 1000. - 1)) AS score,\n"
        "  multiIf(score < -.3, 'negative', score > .3, 'positive', 'neutral') AS label,\n"
        "  toUInt64(0) AS likes\n"
        f"FROM numbers({count})"
    )


def fill(client: Client, texts: int) -> None:
    """Write so many texts, unless the table has them."""
    client.command(create_database())
    client.command(create_table())
    size = texts // (MONTHS * _PARTS)
    names = ", ".join(column.name for column in COLUMNS)
    have = int(client.query(f"SELECT count() FROM {DOCUMENTS}").result_rows[0][0])
    if have >= size * MONTHS * _PARTS:
        return
    client.command(f"TRUNCATE TABLE {DOCUMENTS}")
    for part in range(MONTHS * _PARTS):
        made = _texts(part * size, size, part // _PARTS)
        client.command(f"INSERT INTO {DOCUMENTS} ({names}) {documents(made)}")
