"""`text.documents`: the table that search reads, and how a text becomes tokens.

Belongs here: columns, DDL and the SQL of tokens. The tokens of a question are made by the same SQL
as those of the table, so both agree. The asset `text/documents` fills the table, and a deployment
makes it. What is asked of it belongs to `serving.search`.

The text index takes the tokens as they stand. Its own tokenizers do not fit: none of them divides
words at spaces, Chinese and Japanese into pairs of characters, and keeps `#` and `@`.
"""

from __future__ import annotations

import re
import zlib

from social_assets.warehouse.text_tables import DATABASE, TextColumn

DOCUMENTS = f"{DATABASE}.documents"
INDEX = "tokens_index"
MEANING = "Current posts and comments for search: one row a kind, platform and id"
KINDS = ("post", "comment")
LABELS = ("negative", "neutral", "positive")

COLUMNS = (
    TextColumn("event_date", "Date", "Day of the text, UTC; a partition is its month"),
    TextColumn("event_time", "DateTime64(6, 'UTC')", "When the text was written, UTC"),
    TextColumn("kind", "String", "post or comment"),
    TextColumn("platform", "String", "Where it was written"),
    TextColumn("document_id", "String", "Its id on the platform"),
    TextColumn("account_id", "String", "The account that published the post"),
    TextColumn("post_id", "String", "The post; of a comment the one that it is about"),
    TextColumn("stream", "LowCardinality(String)", "The stream that has the text"),
    TextColumn("content", "String", "The text"),
    TextColumn("tokens", "Array(String)", "Words, pairs of them, hashtags, mentions, filters"),
    TextColumn("words", "UInt32", "How many words the text has"),
    TextColumn("repeated", "Array(String)", "Its words from their second occurrence on"),
    TextColumn("score", "Nullable(Float32)", "Sentiment from -1 to 1; NULL if it is not scored"),
    TextColumn("label", "LowCardinality(String)", "negative, neutral, positive, or nothing"),
    TextColumn("likes", "UInt64", "Likes of a comment when it was collected"),
)

_SETTINGS = (
    "index_granularity = 256, min_compress_block_size = 4096, max_compress_block_size = 16384"
)
"""Matches of a rare word are far from each other: little is read and decompressed for each. For
the same reason the columns of a result's place have no dictionary."""
PAIRS = 65_536
"""Pairs of neighbouring words have so many tokens together: fewer would make phrases inexact, and
one for each pair would make the index several times as large."""
_LONGEST_TEXT = 100_000
LONGEST_WORD = 64

_WITHOUT_SPACES = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\x{30FC}"
)
"""Characters of scripts that put no spaces between words. Hangul does, but joins particles."""
_LETTERS = r"\p{L}\p{M}\p{N}_"
_WORD = rf"[{_WITHOUT_SPACES}]+|[{_LETTERS}]+|[^\P{{So}}\x{{FFFD}}]"
"""Symbols are words: emoji. The sign of a broken character is none."""
_TAG = rf"#[{_LETTERS}]+|@[{_LETTERS}]+(?:\.[{_LETTERS}]+)*"

_ACCENTS = r"[\x{0300}-\x{036f}]"
_APART = r" \1 "

SEPARATOR = "\x1f"
"""Begins the tokens of filters. No word has it, so no question can name such a token."""


def filter_token(name: str, *values: str) -> str:
    """The token that all documents of an account, a platform, a kind or a label have."""
    return SEPARATOR + SEPARATOR.join((name, *values))


def folded(text: str) -> str:
    """SQL of a text without the difference of case, width and accents.

    Only accents of Latin, Greek and Cyrillic letters are removed: marks of other scripts make other
    letters.
    """
    valid = f"toValidUTF8(substringUTF8(toValidUTF8({text}), 1, {_LONGEST_TEXT}))"
    plain = f"replaceRegexpAll(normalizeUTF8NFKD(caseFoldUTF8({valid})), {_literal(_ACCENTS)}, '')"
    return f"normalizeUTF8NFC({plain})"


def words(text: str) -> str:
    """SQL of the words of a folded text, in order.

    A run of characters without spaces gives each pair of neighbours: a word in it is found as its
    pairs, one after another. Emoji are words.
    """
    spaceless = f"[{_WITHOUT_SPACES}]"
    apart = f"replaceRegexpAll({text}, {_literal(f'({spaceless}+)')}, {_literal(_APART)})"
    pairs = (
        "arrayMap(place -> substringUTF8(word, place, 2),"
        " range(1, toUInt64(greatest(lengthUTF8(word), 2))))"
    )
    cut = f"[substringUTF8(word, 1, {LONGEST_WORD})]"
    return (
        f"if(match({text}, {_literal(spaceless)}),\n"
        f"  arrayFlatten(arrayMap(word -> if(match(word, {_literal('^' + spaceless)}),\n"
        f"    {pairs}, {cut}), extractAll({apart}, {_literal(_WORD)}))),\n"
        f"  arrayMap(word -> substringUTF8(word, 1, {LONGEST_WORD}),"
        f" extractAll({text}, {_literal(_WORD)})))"
    )


def plain_words(text: str) -> list[str] | None:
    """What `words` gives for a text of ASCII alone, without a query; None for another text."""
    if not text.isascii():
        return None
    return [word[:LONGEST_WORD] for word in re.findall(r"[a-z0-9_]+", text.lower())]


def pair_token(before: str, after: str) -> str:
    """The token of two neighbours, as `pairs` gives it."""
    number = zlib.crc32(f"{before} {after}".encode()) % PAIRS
    return f"{SEPARATOR}{number.to_bytes(2).hex().upper()}"


def marked(text: str) -> str:
    """SQL of the hashtags and mentions of a folded text, with their sign."""
    return f"extractAll({text}, {_literal(_TAG)})"


def characters(text: str) -> str:
    """SQL of the single characters of scripts without spaces, by which one alone is found."""
    return f"extractAll({text}, {_literal(f'[{_WITHOUT_SPACES}]')})"


def pairs(in_order: str) -> str:
    """SQL of the tokens of neighbours in an array of words: a phrase has all of them."""
    return (
        f"arrayMap((before, after) -> concat('{SEPARATOR}',"
        f" hex(toUInt16(CRC32(concat(before, ' ', after)) % {PAIRS}))),\n"
        f"    arrayPopBack({in_order}), arrayPopFront({in_order}))"
    )


def documents(texts: str) -> str:
    """A SELECT of the table's rows for a SELECT of texts.

    `texts` has the columns of the table up to `stream`, `score`, `label` and `likes`, and the text
    as `text`, and its tags as `tags`.
    """
    filters = ", ".join(
        f"concat('{filter_token(name)}{SEPARATOR}', {value})"
        for name, value in (
            ("account", f"platform, '{SEPARATOR}', account_id"),
            ("platform", "platform"),
            ("kind", "kind"),
            ("label", "label"),
        )
    )
    tag = f"concat('#', replaceAll({folded('tag')}, ' ', ''))"
    return (
        f"WITH plain AS (SELECT *, {folded('text')} AS plain_text FROM ({texts})),\n"
        f"divided AS (SELECT *, {words('plain_text')} AS in_order FROM plain)\n"
        "SELECT event_date, event_time, kind, platform, document_id, account_id, post_id, stream,\n"
        "  text AS content,\n"
        f"  arrayConcat(arrayDistinct(arrayConcat(in_order, {pairs('in_order')},\n"
        f"    {marked('plain_text')}, arrayMap(tag -> {tag}, tags),\n"
        f"    {characters('plain_text')})),\n"
        f"    [{filters}]) AS tokens,\n"
        "  length(in_order) AS words,\n"
        "  arrayFilter((word, nth) -> nth > 1, in_order, arrayEnumerateUniq(in_order))"
        " AS repeated,\n"
        "  score, label, likes\n"
        "FROM divided"
    )


def create_table(name: str = DOCUMENTS) -> str:
    """`CREATE TABLE IF NOT EXISTS` of the table, or of a staging table with its structure.

    It is ordered by time, so that the newest matches of a frequent word are found at once.
    """
    columns = [f"  {c.name} {c.type} COMMENT '{c.meaning}'" for c in COLUMNS]
    index = f"  INDEX {INDEX} tokens TYPE text(tokenizer = 'array')"
    body = ",\n".join([*columns, index])
    return (
        f"CREATE TABLE IF NOT EXISTS {name} (\n{body}\n)\n"
        "ENGINE = MergeTree PARTITION BY toStartOfMonth(event_date)\n"
        "ORDER BY (event_time, document_id)\n"
        f"SETTINGS {_SETTINGS}\n"
        f"COMMENT '{MEANING}'"
    )


def _literal(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
