"""As much of ClickHouse's syntax as an HTTP front end must see.

Where an INSERT's statement ends and its data begins, which format a query names, and
whether it reaches for files. Not a parser: the engine parses, and reports what is wrong.
Works on bytes, because data of any format may follow the statement.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

# What is never closed runs to the end: the engine will complain, and reading stays linear.
_TOKEN = re.compile(
    rb"""
      (?P<space>\s++ | --[^\n]*+ | \#[!\ ][^\n]*+ | /\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^'\\]++|\\.|'')*+(?:'|\Z) | `(?:[^`\\]++|\\.|``)*+(?:`|\Z)
                 | "(?:[^"\\]++|\\.|"")*+(?:"|\Z) | \$(?P<tag>\w*+)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*+)
    | (?P<number>\d[\w.]*+)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_AFTER_FORMAT = re.compile(rb"[^\S\n]*+;?[^\S\n]*+\n?")
_SELECT_STARTS = frozenset({"SELECT", "WITH", "FROM"})


@dataclass(frozen=True)
class Token:
    """A piece of the text, by its offsets in bytes."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in any case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Whether it can name a table or a format."""
        return self.kind in ("word", "quoted")


@dataclass(frozen=True)
class Query:
    """A statement without data. `format` is what its own FORMAT clause names."""

    text: bytes
    keyword: str
    format: str | None
    format_start: int
    writes_file: bool

    @property
    def may_be_select(self) -> bool:
        """Whether it begins as a SELECT does; the engine knows for sure."""
        return self.keyword in _SELECT_STARTS

    def into_file(self, path: str, format_name: str) -> bytes:
        """The same SELECT, writing its result to `path` in place of returning it."""
        quoted = path.replace("\\", "\\\\").replace("'", "\\'").encode()
        target = b"\nINTO OUTFILE '" + quoted + b"' APPEND COMPRESSION 'none'"
        if self.format is None:
            return self.text + target + b" FORMAT " + format_name.encode()
        return self.text[: self.format_start] + target + b" " + self.text[self.format_start :]


@dataclass(frozen=True)
class Insert:
    """An INSERT whose data follows: the statement up to FORMAT or VALUES, the data after.

    `selects`: the data would pass through a SELECT first, by the table function `input`.
    """

    statement: bytes
    format: str | None
    data_start: int
    selects: bool = False

    def from_file(self, path: str, format_name: str) -> bytes:
        """The same INSERT, its data in the file at `path`, which is not compressed."""
        quoted = path.replace("\\", "\\\\").replace("'", "\\'").encode()
        source = b"\nFROM INFILE '" + quoted + b"' COMPRESSION 'none'\n"
        start = self._settings_start()
        before, after = self.statement[:start], self.statement[start:]
        return before + source + after + b"\nFORMAT " + format_name.encode()

    def _settings_start(self) -> int:
        """Where `SETTINGS name = ...` begins, before which a source must stand."""
        tokens = list(top_level_tokens(self.statement))
        for clause, _, equals in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if clause.is_word("SETTINGS") and equals.text == "=":
                return clause.start
        return len(self.statement)


def top_level_tokens(text: bytes) -> Iterator[Token]:
    """The tokens outside of parentheses, comments left out."""
    depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind == "tag":
            kind = "quoted"
        if kind == "symbol" and found.group() in b")]}":
            depth = max(0, depth - 1)
        if depth == 0 and kind != "space":
            yield Token(kind, found.group().decode(errors="replace"), found.start(), found.end())
        if kind == "symbol" and found.group() in b"([{":
            depth += 1


def first_keyword(text: bytes) -> str:
    """The first word, in upper case, however deep in parentheses."""
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "word":
            return found.group().decode(errors="replace").upper()
        if found.lastgroup != "space" and found.group() != b"(":
            break
    return ""


def read_query(text: bytes) -> Query:
    """What the front end needs to know of a statement that carries no data."""
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


def read_insert(head: bytes) -> Insert | None:
    """The INSERT that begins `head`, if data follows it; None for any other statement."""
    if first_keyword(head) != "INSERT":
        return None
    tokens = top_level_tokens(head)
    previous = next(tokens)
    table_seen = selects = False
    for token in tokens:
        part_of_name = previous.text == "."
        if not table_seen:
            is_filler = token.is_word("INTO", "TABLE", "FUNCTION")
            # A name may be a parameter, `{table:Identifier}`, of which only the end is seen here.
            table_seen = (token.is_name and not is_filler) or token.text == "}"
        elif token.is_word("FORMAT") and not part_of_name:
            name = next(tokens, None)
            if name is None or not name.is_name:
                return None
            data = _AFTER_FORMAT.match(head, name.end)
            start = data.end() if data else name.end
            return Insert(head[: token.start], name.text, start, selects)
        elif selects or part_of_name:
            pass
        elif token.is_word("VALUES"):
            return Insert(head[: token.start], "Values", token.end)
        elif token.is_word("SELECT", "WITH", "FROM", "WATCH"):
            selects = True
        previous = token
    return None if selects or not table_seen else _insert_without_format(head)


def _insert_without_format(head: bytes) -> Insert | None:
    """`INSERT INTO t (a, b)`, its format left to the request; the data starts on the next line.

    `INSERT INTO t (SELECT 1)` looks alike, but carries its own rows.
    """
    if re.search(rb"\(\s*(?:SELECT|WITH)\b", head, re.IGNORECASE):
        return None
    line_end = head.find(b"\n")
    end = len(head) if line_end < 0 else line_end
    return Insert(head[:end].rstrip().rstrip(b";"), None, min(end + 1, len(head)))


def _format_clause(tokens: list[Token]) -> tuple[Token, Token] | None:
    """FORMAT and its name, when they end the query or only SETTINGS follow.

    So that a column named `format` is none.
    """
    for index in range(len(tokens) - 2, 0, -1):
        keyword, name = tokens[index], tokens[index + 1]
        following = tokens[index + 2] if index + 2 < len(tokens) else None
        ends = following is None or following.is_word("SETTINGS")
        if keyword.is_word("FORMAT") and name.is_name and ends:
            return keyword, name
    return None
