"""The part of ClickHouse's syntax that an HTTP front end must read.

Belongs here: tokens, the format that a query names, and whether the query writes a file.
`insert_syntax` finds the data of an INSERT. This is no parser: the engine parses, reports errors.
Works on bytes, because data of any format may follow the statement.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

# An unclosed literal runs to the end: the engine reports the error, and scanning stays linear.
_TOKEN = re.compile(
    rb"""
      (?P<space>\s++ | (?:--|//)[^\n]*+ | \#[!\ ][^\n]*+ | /\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^'\\]++|\\.|'')*+(?:'|\Z) | `(?:[^`\\]++|\\.|``)*+(?:`|\Z)
                 | "(?:[^"\\]++|\\.|"")*+(?:"|\Z)
                 | \xe2\x80\x98.*?(?:\xe2\x80\x99|\Z) | \xe2\x80\x9c.*?(?:\xe2\x80\x9d|\Z)
                 | \$(?P<tag>\w*+)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*+)
    | (?P<number>\d[\w.]*+)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SELECT_STARTS = frozenset({"SELECT", "WITH", "FROM"})
# After these words an expression or a name follows, even if it is spelled like a keyword.
_UNFINISHED = re.compile(
    r"ALL|AND|AS|BETWEEN|BY|CASE|DISTINCT|DIV|ELSE|EXCEPT|FROM|HAVING|ILIKE|IN|INTERSECT|INTERVAL"
    r"|INTO|IS|JOIN|LIKE|LIMIT|MOD|NOT|OFFSET|ON|OR|PREWHERE|QUALIFY|RECURSIVE|SELECT|THEN|UNION"
    r"|USING|WHEN|WHERE|WITH",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Token:
    """A token of the text: its kind and its offsets in bytes."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in upper or lower case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Whether it can name a table or a format."""
        return self.kind in ("word", "quoted")


@dataclass(frozen=True)
class Query:
    """A statement without data. `format` is the name in its FORMAT clause."""

    text: bytes
    keyword: str
    format: str | None
    format_start: int
    writes_file: bool

    @property
    def may_be_select(self) -> bool:
        """Whether it begins like a SELECT; only the engine decides whether it is one."""
        return self.keyword in _SELECT_STARTS

    def into_file(self, path: str, format_name: str) -> bytes:
        """The same SELECT, which writes its result to `path` instead of returning it."""
        quoted = path.replace("\\", "\\\\").replace("'", "\\'").encode()
        target = b"\nINTO OUTFILE '" + quoted + b"' APPEND COMPRESSION 'none'"
        if self.format is None:
            return self.text + target + b" FORMAT " + format_name.encode()
        return self.text[: self.format_start] + target + b" " + self.text[self.format_start :]


def all_tokens(text: bytes) -> Iterator[Token]:
    """The tokens at every depth of parentheses, comments left out."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind == "tag":
            kind = "quoted"
        if kind != "space":
            yield Token(kind, found.group().decode(errors="replace"), found.start(), found.end())


def top_level_tokens(text: bytes) -> Iterator[Token]:
    """The tokens outside of parentheses, and the parentheses themselves."""
    depth = 0
    for token in all_tokens(text):
        is_symbol = token.kind == "symbol"
        if is_symbol and token.text in ")]}":
            depth = max(0, depth - 1)
        if depth == 0:
            yield token
        if is_symbol and token.text in "([{":
            depth += 1


def unquoted(literal: str) -> str:
    """The value of a string literal in single quotes."""
    return re.sub(r"\\(.)|''", lambda found: found.group(1) or "'", literal[1:-1], flags=re.DOTALL)


def ends_expression(token: Token, before: Token | None) -> bool:
    """Whether a keyword may follow `token`, and not only a name that is spelled like one.

    `before` is the token before it, which distinguishes `SELECT *` from `a * format`.
    """
    if token.kind == "word":
        return _UNFINISHED.fullmatch(token.text) is None
    if token.text == "*":
        return before is not None and (before.text in (",", ".") or before.is_word("SELECT"))
    return token.kind in ("quoted", "number") or token.text in (")", "]", "}")


def first_keyword(text: bytes) -> str:
    """The first word, in upper case, however deep in parentheses."""
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "word":
            return found.group().decode(errors="replace").upper()
        if found.lastgroup != "space" and found.group() != b"(":
            break
    return ""


def read_query(text: bytes) -> Query:
    """Read the parts of a statement without data that the front end needs."""
    tokens = list(top_level_tokens(text))
    while tokens and tokens[-1].text == ";":
        text = text[: tokens.pop().start]
    clause = _format_clause(tokens)
    return Query(
        text=text,
        keyword=first_keyword(text),
        format=None if clause is None else clause[1].text,
        format_start=len(text) if clause is None else clause[0].start,
        writes_file=any(
            token.is_word("INTO") and following.is_word("OUTFILE")
            for token, following in itertools.pairwise(tokens)
        ),
    )


def _format_clause(tokens: list[Token]) -> tuple[Token, Token] | None:
    """FORMAT and its name, if they end the query or only SETTINGS follow.

    A column named `format` is not a FORMAT clause.
    """
    for index in range(len(tokens) - 2, 0, -1):
        keyword, name = tokens[index], tokens[index + 1]
        following = tokens[index + 2] if index + 2 < len(tokens) else None
        ends = following is None or following.is_word("SETTINGS")
        before = tokens[index - 2] if index > 1 else None
        is_clause = keyword.is_word("FORMAT") and ends_expression(tokens[index - 1], before)
        if is_clause and name.is_name and ends:
            return keyword, name
    return None
