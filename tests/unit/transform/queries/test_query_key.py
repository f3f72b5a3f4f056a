"""Whatever changes a query changes its key; what a text cannot tell has none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pandera.ibis as pandera
import pytest

from social_assets.contracts.pandera_private import passes, register_ibis_backends
from social_assets.contracts.registry import contracts
from social_assets.transform.decode import shape_of
from social_assets.transform.queries import query_key as module
from social_assets.transform.queries.query_key import query_key
from social_assets.transform.validate_block import INPUT, _validated

CHECKOUT = Path(__file__).resolve().parents[4]
TABLE = ibis.table({"text": "string", "number": "int64"}, name="block")
LIMIT = 10


def positive(column: ir.IntegerColumn) -> ir.BooleanValue:
    """A helper of a rule."""
    return column > LIMIT


def key_of_rule(check: pandera.Check) -> str | None:
    register_ibis_backends()
    return query_key(TABLE.select(rule=passes(TABLE, "number", check)).op())


def own_rule() -> pandera.Check:
    return pandera.Check(lambda data: positive(data.table[data.key]))


def test_equal_expressions_have_one_key() -> None:
    assert key_of_rule(own_rule()) == key_of_rule(own_rule()) is not None


def test_a_helper_that_a_rule_calls_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of_rule(own_rule())
    monkeypatch.setitem(globals(), "LIMIT", 11)
    with_limit = key_of_rule(own_rule())
    monkeypatch.setitem(globals(), "positive", lambda column: column >= LIMIT)
    assert len({before, with_limit, key_of_rule(own_rule())}) == 3


@pytest.mark.parametrize(
    "other",
    [
        TABLE.filter(TABLE.number == 2),
        TABLE.filter(TABLE.number == 1.0),
        TABLE.filter(TABLE.text == "1"),
        TABLE.filter(TABLE.number != 1),
        TABLE.filter(TABLE.number + 0 == 1),
        ibis.table({"text": "string", "number": "int32"}, name="block").filter(
            lambda each: each.number == 1
        ),
        ibis.table({"number": "int64", "text": "string"}, name="block").filter(
            lambda each: each.number == 1
        ),
        ibis.table({"text": "string", "number": "int64"}, name="other").filter(
            lambda each: each.number == 1
        ),
    ],
)
def test_any_other_expression_has_another_key(other: ir.Table) -> None:
    assert query_key(other.op()) not in (query_key(TABLE.filter(TABLE.number == 1).op()), None)


def test_functions_of_duckdb_are_told_apart() -> None:
    def made(name: str, result: str) -> ir.Table:
        @ibis.udf.scalar.builtin(name=name, signature=(("string",), result))
        def function(text: str) -> str: ...  # type: ignore[empty-body]

        return TABLE.select(it=function(TABLE.text))

    keys = [query_key(made(*each).op()) for each in (("trim", "string"), ("upper", "string"))]
    again = query_key(made("trim", "string").op())
    other = query_key(made("trim", "json").op())
    assert again == keys[0]
    assert len({*keys, other}) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(ibis, "__version__", "99"),
        lambda patch: patch.setattr(duckdb, "__version__", "99"),
        lambda patch: patch.setattr(sys, "version", "99"),
        lambda patch: patch.setattr(module, "_installed", lambda package: package == "sqlglot"),
        lambda patch: patch.setattr(module, "_installed", lambda package: package == "sqlglotc"),
        lambda patch: patch.setattr(module, "_own_source", lambda: "another"),
        lambda patch: patch.setattr(ibis.options.sql, "default_limit", 5),
    ],
    ids=["ibis", "duckdb", "python", "sqlglot", "sqlglotc", "source", "option"],
)
def test_versions_options_and_the_source_change_the_key(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    expression = TABLE.filter(TABLE.number == 1).op()
    before = query_key(expression)
    change(monkeypatch)
    assert query_key(expression) != before


def test_the_source_of_the_folder_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def source_with(text: str) -> str:
        (tmp_path / "compiled_query.py").write_text(text)
        module._own_source.cache_clear()
        return module._own_source()

    monkeypatch.setattr(module, "__file__", str(tmp_path / "query_key.py"))
    try:
        assert source_with("a = 1") == source_with("a = 1") != source_with("a = 2")
    finally:
        module._own_source.cache_clear()


def test_rows_in_memory_and_functions_of_python_have_no_key() -> None:
    @ibis.udf.scalar.python
    def twice(number: int) -> int:
        return 2 * number

    assert query_key(ibis.memtable({"number": [1]}).op()) is None
    assert query_key(TABLE.select(it=twice(TABLE.number)).op()) is None


KEYS = """
from tests.unit.transform.queries.test_query_key import keys_of_contracts
print(keys_of_contracts())
"""


def keys_of_contracts() -> list[str | None]:
    """The keys of small contracts' validation."""
    small = [each for each in contracts() if each.name in ("engagement_events", "posts")]
    return [
        query_key(
            _validated(ibis.table(INPUT, name="block"), each, shape_of(each, set(), set())).op()
        )
        for each in small
    ]


def test_every_process_has_the_same_keys() -> None:
    """Also if it orders sets otherwise, as pandera's `isin` does."""
    found = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", KEYS],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    assert "None" not in found.pop()
