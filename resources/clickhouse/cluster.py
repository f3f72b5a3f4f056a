"""Statements for a ClickHouse cluster: the one place that knows how they differ from one server's.

Belongs here: the setting, and a pure function from a statement of the project to those that a
cluster of one shard takes. A definition is made `ON CLUSTER`, and its MergeTree engine becomes a
replicated one. A statement that changes rows stays as it is: the table's own replication carries it
to the other replicas. Not here: who sends statements, and what they define.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from resources.embedded_clickhouse.sql.scan import Token, all_tokens

CLUSTER_VARIABLE = "SOCIAL_ASSETS_CLICKHOUSE_CLUSTER"
_URL_VARIABLE = "SOCIAL_ASSETS_CLICKHOUSE_URL"

TABLE_PATH = "/clickhouse/tables/{uuid}/{shard}"
"""Where Keeper holds a table. By its UUID, which goes with a table that is exchanged or renamed."""
REPLICA = "{replica}"
ENGINE_ARGUMENTS = f"'{TABLE_PATH}', '{REPLICA}'"

DEDUPLICATION = "non_replicated_deduplication_window"
DEDUPLICATION_OF_REPLICAS = "replicated_deduplication_window"
DEDUPLICATION_SECONDS = 7 * 24 * 3600
"""How long Keeper remembers insert tokens, with its default an hour. A batch may come again after
an outage; on one server only the number of tokens is limited."""

INSERT_SETTINGS: Mapping[str, str | int] = {"insert_quorum": "auto", "insert_quorum_parallel": 1}
"""An insert is acknowledged when a majority of replicas has it. Parallel: views of several streams
insert into one table at the same time, which sequential consistency would refuse."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_FAMILY = re.compile(r"(Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing)?MergeTree")
_COLUMNS_ONLY = frozenset({"ADD", "MODIFY", "COMMENT", "RENAME", "ALTER"})
_OF_ROWS = frozenset(
    {"REPLACE", "DROP", "ATTACH", "DETACH", "MOVE", "DELETE", "UPDATE", "APPLY", "MATERIALIZE"}
)
_AS_THEY_ARE = frozenset(
    {
        *("SELECT", "WITH", "INSERT", "EXISTS", "SHOW", "DESCRIBE", "EXPLAIN", "CHECK", "SET"),
        *("DELETE", "TRUNCATE", "OPTIMIZE", "KILL", "BACKUP", "RESTORE", "SYSTEM", "USE"),
    }
)
"""Statements that define nothing: they read, or change rows, which replication carries on."""


class ClusterSettingError(ValueError):
    """The variable of the cluster can't be used."""


class UnknownDefinitionError(ValueError):
    """A statement that this module can't make for a cluster."""


@dataclass(frozen=True)
class Cluster:
    """A cluster of one shard, by its name in the servers' configuration."""

    name: str

    @property
    def clause(self) -> str:
        """`ON CLUSTER` with the name."""
        return f'ON CLUSTER "{self.name}"'

    def statements(self, statement: str) -> tuple[str, ...]:
        """What a cluster takes for a statement that is written for one server.

        Raises UnknownDefinitionError for a statement of an unknown kind.
        """
        text = statement.encode()
        tokens = [token for token in all_tokens(text) if token.text != ";"]
        first = tokens[0].text.upper()
        is_made = any(_is_on_cluster(*pair) for pair in itertools.pairwise(tokens))
        if is_made or first in _AS_THEY_ARE or first == "(":
            return (statement,)
        match first:
            case "CREATE":
                return (self._create(text, tokens),)
            case "DROP":
                return (_inserted(text, _end_of_name(tokens, _after(tokens)), f" {self.clause}"),)
            case "ALTER":
                return (self._alter(text, tokens),)
            case "EXCHANGE" | "RENAME":
                return self._renamed(statement, tokens)
            case "GRANT" | "REVOKE":
                return (_inserted(text, tokens[0].end, f" {self.clause}"),)
            case _:
                raise UnknownDefinitionError(
                    f"{first} is no statement that resources/clickhouse/cluster.py can make for "
                    f"the cluster {self.name!r}: add the kind there. The statement begins "
                    f"{statement[:80]!r}"
                )

    def _create(self, text: bytes, tokens: list[Token]) -> str:
        if any(token.is_word("TEMPORARY") for token in tokens[:4]):
            return text.decode()
        engine = _engine(tokens)
        if engine is not None and tokens[engine].text == "Memory":
            # Filled and read over one connection, and dropped after that.
            return text.decode()
        edits = [(_end_of_name(tokens, _after(tokens)), 0, f" {self.clause}")]
        if engine is not None and _FAMILY.fullmatch(tokens[engine].text):
            edits += _replicated(tokens, engine)
        return _edited(text, edits)

    def _alter(self, text: bytes, tokens: list[Token]) -> str:
        end = _end_of_name(tokens, 2)
        following = [token for token in tokens if token.start >= end]
        commands = {following[0].text.upper(), *_after_commas(following)}
        kinds = {
            "DROP COLUMN" if word == "DROP" and _drops_definition(following) else word
            for word in commands
        }
        if kinds <= _OF_ROWS:
            return text.decode()
        if kinds <= _COLUMNS_ONLY | {"DROP COLUMN"}:
            return _inserted(text, end, f" {self.clause}")
        raise UnknownDefinitionError(
            f"ALTER TABLE with {', '.join(sorted(kinds))} changes rows and a definition, or "
            "something that resources/clickhouse/cluster.py does not know: send two statements, "
            "or add the kind"
        )

    def _renamed(self, statement: str, tokens: list[Token]) -> tuple[str, ...]:
        """The same on all replicas; an exchange waits until each has the rows of both tables."""
        renamed = f"{statement.rstrip().rstrip(';')} {self.clause}"
        if not tokens[0].is_word("EXCHANGE") or not tokens[1].is_word("TABLES"):
            return (renamed,)
        names = statement[tokens[1].end :].rstrip().rstrip(";")
        return (
            *(f"SYSTEM SYNC REPLICA {self.clause} {name.strip()}" for name in _and(names)),
            renamed,
        )


def cluster_from_environment(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster that the warehouse is on; None for one server, which is the default."""
    name = environment.get(CLUSTER_VARIABLE, "")
    if not name:
        return None
    if not _NAME.fullmatch(name):
        raise ClusterSettingError(
            f"{CLUSTER_VARIABLE} is {name!r}: set it to the name of a cluster in remote_servers of "
            "the servers' configuration, of letters, digits, '_', '-' and '.'"
        )
    if not environment.get(_URL_VARIABLE):
        raise ClusterSettingError(
            f"{CLUSTER_VARIABLE} is {name!r}, but {_URL_VARIABLE} is not set: set it to a replica "
            "of the cluster. The embedded ClickHouse is one server"
        )
    return Cluster(name)


def engine_on(cluster: Cluster | None, engine: str) -> str:
    """A table engine as the warehouse has it, without arguments of its family."""
    return f"Replicated{engine}({ENGINE_ARGUMENTS})" if cluster else engine


def deduplication_settings(cluster: Cluster | None, window: str) -> str:
    """The settings by which a table remembers insert tokens; `window` is their number."""
    if cluster is None:
        return f"{DEDUPLICATION} = {window}"
    return (
        f"{DEDUPLICATION_OF_REPLICAS} = {window}, "
        f"{DEDUPLICATION_OF_REPLICAS}_seconds = {DEDUPLICATION_SECONDS}"
    )


def _replicated(tokens: list[Token], engine: int) -> list[tuple[int, int, str]]:
    family = tokens[engine]
    edits = [(family.start, 0, "Replicated")]
    following = tokens[engine + 1] if engine + 1 < len(tokens) else None
    if following is not None and following.text == "(" and following.start == family.end:
        is_empty = tokens[engine + 2].text == ")"
        edits.append((following.end, 0, ENGINE_ARGUMENTS + ("" if is_empty else ", ")))
    else:
        edits.append((family.end, 0, f"({ENGINE_ARGUMENTS})"))
    for place, token in enumerate(tokens):
        if token.is_word(DEDUPLICATION.upper()):
            value = tokens[place + 2].text
            edits.append(
                (
                    token.start,
                    tokens[place + 2].end - token.start,
                    deduplication_settings(Cluster("any"), value),
                )
            )
    return edits


def _engine(tokens: list[Token]) -> int | None:
    """The place of the engine's name in a CREATE TABLE."""
    for place, token in enumerate(tokens[:-1]):
        if token.is_word("AS") and tokens[place + 1].is_word("SELECT", "WITH"):
            return None
        if token.is_word("ENGINE"):
            return place + (2 if tokens[place + 1].text == "=" else 1)
    return None


def _after(tokens: list[Token]) -> int:
    """The place of the name in `CREATE OR REPLACE kind IF NOT EXISTS name` and `DROP kind name`."""
    words = ("CREATE", "DROP", "OR", "REPLACE", "MATERIALIZED", "TABLE", "VIEW", "DATABASE")
    place = 0
    while tokens[place].is_word(*words, "DICTIONARY"):
        place += 1
    if tokens[place].is_word("IF"):
        while tokens[place].is_word("IF", "NOT", "EXISTS"):
            place += 1
    return place


def _end_of_name(tokens: list[Token], place: int) -> int:
    """Where `database.table` ends, that begins at this place."""
    while place + 2 < len(tokens) and tokens[place + 1].text == ".":
        place += 2
    return tokens[place].end


def _after_commas(tokens: list[Token]) -> list[str]:
    """The first words of the commands of an ALTER after the first."""
    depth, found = 0, []
    for token, following in itertools.pairwise(tokens):
        if token.kind == "symbol":
            depth += (token.text in "([{") - (token.text in ")]}")
        is_command = following.kind == "word" and following.text.upper() in _COLUMNS_ONLY | _OF_ROWS
        if depth == 0 and token.text == "," and is_command:
            found.append(following.text.upper())
    return found


def _drops_definition(tokens: list[Token]) -> bool:
    return len(tokens) > 1 and tokens[1].is_word("COLUMN", "INDEX", "PROJECTION", "CONSTRAINT")


def _is_on_cluster(token: Token, following: Token) -> bool:
    return token.is_word("ON") and following.is_word("CLUSTER")


def _and(names: str) -> list[str]:
    return re.split(r"\s+AND\s+", names.strip(), flags=re.IGNORECASE)


def _inserted(text: bytes, at: int, added: str) -> str:
    return _edited(text, [(at, 0, added)])


def _edited(text: bytes, edits: list[tuple[int, int, str]]) -> str:
    for at, removed, added in sorted(edits, reverse=True):
        text = text[:at] + added.encode() + text[at + removed :]
    return text.decode()
