"""Finds where the statement of an INSERT ends and its data begins.

Follows ClickHouse's parser, because the data must reach the engine byte for byte. Only the engine
interprets the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.sql.scan import (
    Token,
    all_tokens,
    ends_expression,
    top_level_tokens,
    unquoted,
)

_BLANKS_BEFORE_DATA = re.compile(rb"[ \t\f]*+\r?\n?")
_END_OF_STATEMENT = re.compile(rb";[ \t\f]*+(?:\r?\n|\Z)")
_REST_OF_LINE = re.compile(
    rb"(?:[^\S\n]++|;|(?:--|//)[^\n]*+|\#[!\ ][^\n]*+|/\*(?s:.)*?\*/)*+(?:\n|\Z)"
)
_SUBQUERY = re.compile(rb"[\s(]*+(?:SELECT|WITH)\b\s*+(?![\s,)])", re.IGNORECASE)
_SELECT_WORDS = ("SELECT", "WITH", "FROM", "WATCH")


@dataclass(frozen=True)
class Insert:
    """An INSERT with data: the statement up to FORMAT or VALUES, and the data after it.

    `selects`: a SELECT reads the data by the table function `input`.
    """

    statement: bytes
    format: str | None
    data_start: int
    selects: bool = False

    def from_file(self, path: str, format_name: str) -> bytes:
        """The same INSERT with its data in the file at `path`, which is not compressed."""
        quoted = path.replace("\\", "\\\\").replace("'", "\\'").encode()
        source = b"\nFROM INFILE '" + quoted + b"' COMPRESSION 'none'\n"
        start = self._settings_start()
        before, after = self.statement[:start], self.statement[start:]
        return before + source + after + b"\nFORMAT " + format_name.encode()

    def _settings_start(self) -> int:
        """The offset of `SETTINGS name = ...`; a source must come before it."""
        tokens = list(top_level_tokens(self.statement))
        for clause, _, equals in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if clause.is_word("SETTINGS") and equals.text == "=":
                return clause.start
        return len(self.statement)


@dataclass(frozen=True)
class Input:
    """A call of the table function `input`: its offsets, and the structure that it names."""

    start: int
    end: int
    structure: str


class _Tokens:
    """Iterates over the tokens at the top level of a text, with the two before the current one.

    `current` is None at the end. If the text is cut off, the last token may be incomplete.
    """

    def __init__(self, text: bytes, *, cut: bool) -> None:
        self._rest: Iterator[Token] = top_level_tokens(text)
        self._end = len(text) if cut else -1
        self.current: Token | None = None
        self.previous: Token | None = None
        self.before: Token | None = None
        self.advance()

    def advance(self) -> None:
        """Go to the next token."""
        self.before, self.previous = self.previous, self.current
        found = next(self._rest, None)
        self.current = None if found is None or found.end == self._end else found

    def at(self, *symbols: str) -> bool:
        """Whether the current token is one of these symbols."""
        return (
            self.current is not None
            and self.current.kind == "symbol"
            and self.current.text in symbols
        )

    def at_word(self, *words: str) -> bool:
        """Whether the current token is one of these keywords."""
        return self.current is not None and self.current.is_word(*words)

    def at_clause(self, *words: str) -> bool:
        """Whether one of these keywords stands where a clause may begin."""
        if not self.at_word(*words) or self.previous is None:
            return False
        return ends_expression(self.previous, self.before)

    def skip_group(self) -> None:
        """Skip an opening parenthesis and everything up to the one that closes it."""
        self.advance()
        self.advance()


def read_insert(text: bytes, *, cut: bool = False) -> Insert | None:
    """The INSERT at the beginning of `text`, if data follows it; None for another statement.

    `cut`: the text continues after its end. Then also None if the start of the data is missing.
    """
    tokens = _Tokens(text, cut=cut)
    if not (_reach_insert(tokens) and _pass_target(tokens)):
        return None
    _pass_columns_and_settings(text, tokens)
    token = tokens.current
    if token is None and cut:
        return None
    if token is not None and tokens.at_word("VALUES"):
        return Insert(text[: token.start], "Values", token.end)
    if tokens.at_word("FORMAT"):
        return _with_format(text, tokens, cut=cut)
    if tokens.at("(") or tokens.at_word(*_SELECT_WORDS):
        return _insert_select(text, tokens, cut=cut)
    return _without_format(text, tokens)


def find_input(statement: bytes) -> Input | None:
    """The call `input('structure')` in an INSERT ... SELECT, if there is one."""
    tokens = list(all_tokens(statement))
    for name, opening, structure, closing in zip(
        tokens, tokens[1:], tokens[2:], tokens[3:], strict=False
    ):
        is_call = name.is_word("INPUT") and opening.text == "(" and closing.text == ")"
        if is_call and structure.text.startswith("'"):
            return Input(name.start, closing.end, unquoted(structure.text))
    return None


def _reach_insert(tokens: _Tokens) -> bool:
    """Go to the word INSERT, which is the first one or follows `WITH x AS (...), y AS z`."""
    if not tokens.at_word("WITH"):
        return tokens.at_word("INSERT")
    tokens.advance()
    while tokens.current is not None and not tokens.at_clause(*_SELECT_WORDS):
        if tokens.at_clause("INSERT"):
            return True
        tokens.advance()
    return False


def _pass_target(tokens: _Tokens) -> bool:
    """Skip `INSERT INTO TABLE name` or `INSERT INTO FUNCTION name`."""
    tokens.advance()
    for word in ("INTO", "TABLE", "FUNCTION"):
        if tokens.at_word(word):
            tokens.advance()
    return _pass_name(tokens)


def _pass_name(tokens: _Tokens) -> bool:
    """Skip `table`, `database.table`, `{table:Identifier}` or the name of a function."""
    while True:
        if tokens.at("{"):
            tokens.skip_group()
        elif tokens.current is not None and tokens.current.is_name:
            tokens.advance()
        else:
            return False
        if not tokens.at("."):
            return True
        tokens.advance()


def _pass_columns_and_settings(text: bytes, tokens: _Tokens) -> None:
    """Go to the word that names the source of the rows, to a subquery, or to any other token."""
    in_expression = False
    while tokens.current is not None and not tokens.at_word("VALUES", "FORMAT", *_SELECT_WORDS):
        if tokens.at("("):
            if _SUBQUERY.match(text, tokens.current.end):
                return
            tokens.skip_group()
        elif tokens.at_word("SETTINGS"):
            _pass_settings(tokens)
        elif in_expression or tokens.at_word("PARTITION"):
            in_expression = True
            tokens.advance()
        else:
            return


def _pass_settings(tokens: _Tokens) -> None:
    """Skip `SETTINGS name = value, name = value`."""
    while tokens.at_word("SETTINGS") or tokens.at(","):
        tokens.advance()
        tokens.advance()
        if not tokens.at("="):
            return
        tokens.advance()
        if tokens.at("-", "+"):
            tokens.advance()
        if tokens.at("(", "[", "{"):
            tokens.skip_group()
        else:
            tokens.advance()


def _with_format(
    text: bytes, tokens: _Tokens, *, cut: bool, selects: bool = False
) -> Insert | None:
    """The INSERT whose current token is FORMAT: the data begins after the name of the format."""
    clause = tokens.current
    tokens.advance()
    name = tokens.current
    if clause is None or name is None or not name.is_name:
        return None
    ended = _END_OF_STATEMENT.match(text, name.end)
    if ended is None and text.startswith(b";", name.end):
        raise ClickHouseError(
            62,
            "SYNTAX_ERROR",
            "You have excessive ';' symbol before data for INSERT. Note that there is no ';' just "
            "after format name, you need to put at least one whitespace symbol before the data",
        )
    blanks = _BLANKS_BEFORE_DATA.match(text, name.end)
    found = ended or blanks
    start = found.end() if found else name.end
    if cut and start == len(text):
        return None
    return Insert(text[: clause.start], name.text, start, selects)


def _insert_select(text: bytes, tokens: _Tokens, *, cut: bool) -> Insert | None:
    """An INSERT ... SELECT, which has data only after a FORMAT, for the table function `input`."""
    if tokens.at_word("FROM"):
        tokens.advance()
        if tokens.at_word("INFILE"):
            raise ClickHouseError(
                78,
                "UNKNOWN_TYPE_OF_QUERY",
                "FROM INFILE is not allowed: it names a file of the client; send its content as "
                "the data of INSERT ... FORMAT",
            )
    while tokens.current is not None:
        if tokens.at_clause("FORMAT"):
            insert = _with_format(text, tokens, cut=cut, selects=True)
            tokens.advance()
            return None if tokens.at_word("SETTINGS") else insert
        tokens.advance()
    return None


def _without_format(text: bytes, tokens: _Tokens) -> Insert | None:
    """`INSERT INTO t (a, b)`: the request names the format; the data starts on the next line."""
    last = tokens.previous
    if last is None:
        return None
    rest = _REST_OF_LINE.match(text, last.end)
    if rest is None:
        return None
    return Insert(text[: last.end], None, rest.end())
