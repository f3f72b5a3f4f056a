"""Each change of a contract is told, with what it means for the rows that are there."""

from __future__ import annotations

import dataclasses
from dataclasses import fields
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.changes.contract_text import contract_of, is_of_rows, text_of
from social_assets.contracts.changes.difference import Change, changes, needs_rebuild, renames
from social_assets.contracts.column import Column, HashOf, Numerals, Spellings, TimeOfDay
from social_assets.contracts.contract import Contract, Retention
from social_assets.contracts.options.csv_format import CsvFormat
from social_assets.contracts.options.explode import Explode

Columns = dict[str, tuple[Any, dict[str, Any]]]

BASE: Columns = {
    "id": (str, {}),
    "t": (datetime, {}),
    "u": (datetime, {"nullable": True}),
    "clock": (str, {"nullable": True, "metadata": {"standardize": TimeOfDay()}}),
    "n": (int, {}),
    "s": (str, {"nullable": True}),
    "platform": (str, {}),
}


def contract(columns: Columns, **options: Any) -> Contract:
    named = {name: pa.Field(**given) for name, (_, given) in columns.items()}
    types = {name: kind for name, (kind, _) in columns.items()}
    model = type("Row", (pa.DataFrameModel,), {**named, "__annotations__": types})
    given = {"key": ("id",), "formats": ("ndjson",), "owner": "team:a", "event_time": "t"}
    return Contract("own", model, **{**given, **options})


def with_column(name: str, kind: Any, /, **options: Any) -> Contract:
    return contract({**BASE, name: (kind, options)})


def without(name: str, **others: tuple[Any, dict[str, Any]]) -> Contract:
    return contract({**{n: c for n, c in BASE.items() if n != name}, **others})


BEFORE = contract(BASE)


@pytest.mark.parametrize(
    ("after", "told", "effect"),
    [
        (
            with_column("c", str, nullable=True),
            "column added: c (string, nullable)",
            "in place",
        ),
        (with_column("c", str), "column added: c (string)", "rebuild"),
        (
            with_column("c", str, nullable=True, default="x"),
            "column added: c (string, nullable)",
            "rebuild",
        ),
        (
            with_column("c", str, metadata={"derive": HashOf(("id", "n"))}),
            "column added: c (string)",
            "rebuild",
        ),
        (without("n"), "column removed: n (integer)", "rebuild"),
        (
            without("n", m=(int, {"metadata": {"renamed_from": "n"}})),
            "column renamed: n -> m",
            "rebuild",
        ),
        (with_column("id", str, ge="a"), "rule changed: id, *greater_than*", "rebuild"),
        (with_column("n", int, gt=5), "rule changed: n, none -> *5*", "rebuild"),
        (
            with_column("n", int, metadata={"categorical": True}),
            "encoding changed: n, False -> True",
            "in place",
        ),
        (
            with_column("n", int, metadata={"numerals": Numerals(thousands=",")}),
            "conversion changed: n, none -> Numerals*",
            "rebuild",
        ),
        (
            with_column("n", int, metadata={"source": "deep.n"}),
            "source changed: n, none -> deep.n",
            "rebuild",
        ),
        (
            with_column("n", int, metadata={"source": {"X": ("a", "b"), "TikTok": "c"}}),
            "source changed: n, none -> a (X), b (X), c (TikTok)",
            "rebuild",
        ),
        (
            with_column("n", int, metadata={"null_spellings": ["-"]}),
            "conversion changed: n, none -> -",
            "rebuild",
        ),
        (with_column("n", int, default=7), "default changed: n, 0 -> 7", "rebuild"),
        (
            with_column("u", datetime, nullable=True, metadata={"time_zone": "Europe/Berlin"}),
            "conversion changed: u, none -> Europe/Berlin",
            "rebuild",
        ),
        (
            with_column("t", datetime, metadata={"time_zone": "Europe/Berlin"}),
            "conversion changed: t, none -> Europe/Berlin",
            "dates",
        ),
        (
            with_column("t", datetime, metadata={"source": "created"}),
            "source changed: t, none -> created",
            "dates",
        ),
        (contract(BASE, event_time=None), "option changed: event_time, t -> none", "dates"),
        (contract(BASE, event_time="u"), "option changed: event_time, t -> u", "dates"),
        # The date remains that of arrival.
        (
            contract(BASE, time_of_day="clock"),
            "option changed: time_of_day, none -> clock",
            "rebuild",
        ),
        (contract(BASE, key=("id", "n")), "key changed: key, id -> id, n", "rebuild"),
        (contract(BASE, critical=("n",)), "option changed: critical, none -> n", "rebuild"),
        (
            contract(BASE, late_after=timedelta(days=9)),
            "option changed: late_after, 7 days, 0:00:00 -> 9 days, 0:00:00",
            "rebuild",
        ),
    ],
)
def test_one_change_is_told_with_what_it_means_for_rows(
    after: Contract, told: str, effect: str
) -> None:
    (change,) = changes(BEFORE, after)
    assert fnmatchcase(str(change), told), str(change)
    assert change.effect == effect
    assert needs_rebuild((change,)) == (effect != "in place")


def kinds(before: Contract, after: Contract) -> dict[str, str]:
    return {change.kind: change.effect for change in changes(before, after)}


def test_a_changed_type_brings_a_changed_default() -> None:
    after = with_column("n", float)
    assert kinds(BEFORE, after) == {"type changed": "rebuild", "default changed": "rebuild"}
    assert kinds(contract(BASE, key=("id", "n")), contract(BASE | {"n": (float, {})})) == {
        "key changed": "rebuild",
        "type changed": "rebuild",
        "default changed": "rebuild",
    }


def test_a_default_of_a_column_that_is_never_null_changes_no_row() -> None:
    before, after = (
        contract(BASE | {"n": (kind, options)}, critical=("n",))
        for kind, options in ((int, {}), (int, {"default": 7}))
    )
    assert kinds(before, after) == {"default changed": "in place"}


def test_null_that_is_allowed_keeps_rows_if_none_had_a_default_in_its_place() -> None:
    allowed = BASE | {"n": (int, {"nullable": True})}
    assert kinds(BEFORE, contract(allowed)) == {
        "nullable changed": "rebuild",
        "default changed": "rebuild",
    }
    critical = contract(BASE, critical=("n",))
    assert kinds(critical, contract(allowed, critical=("n",))) == {
        "nullable changed": "in place",
        "default changed": "in place",
    }
    assert kinds(contract(allowed), BEFORE)["nullable changed"] == "rebuild"


def test_standardized_values_are_a_conversion_and_an_encoding() -> None:
    spelled = {"standardize": Spellings({"A": ("a",)}, otherwise="B")}
    after = with_column("s", str, nullable=True, metadata=spelled)
    assert kinds(BEFORE, after) == {
        "conversion changed": "rebuild",
        "encoding changed": "in place",
    }


def test_a_column_that_takes_a_removed_ones_name_as_former_is_renamed_with_its_other_changes() -> (
    None
):
    after = without("n", m=(float, {"metadata": {"renamed_from": ["n"]}, "gt": 5}))
    assert kinds(BEFORE, after) == {
        "column renamed": "rebuild",
        "type changed": "rebuild",
        "default changed": "rebuild",
        "rule changed": "rebuild",
    }
    assert renames(BEFORE, after) == {"m": "n"}


def test_no_column_is_renamed_from_one_that_is_still_declared_or_never_was() -> None:
    for former in ("n", "never"):
        after = with_column("m", int, metadata={"renamed_from": former})
        assert renames(BEFORE, after) == {}
        assert kinds(BEFORE, after) == {"column added": "rebuild"}


def test_a_former_name_that_stays_declared_after_the_renaming_changes_nothing_more() -> None:
    renamed = without("n", m=(int, {"metadata": {"renamed_from": "n"}}))
    assert changes(renamed, without("n", m=(int, {"metadata": {"renamed_from": "n"}}))) == ()


@pytest.mark.parametrize(
    "options",
    [
        {"owner": "team:b"},
        {"topic": "another"},
        {"retention": Retention(raw_days=30)},
        {"fail_above": 0.5},
        {"csv": CsvFormat(delimiter=";")},
        {"records_at": "items"},
        {"unread": ("z",)},
    ],
)
def test_what_only_describes_or_watches_a_stream_is_no_change(options: dict[str, Any]) -> None:
    assert changes(BEFORE, contract(BASE, **options)) == ()


def test_a_description_and_the_order_of_columns_are_no_change() -> None:
    described = BASE | {"n": (int, {"description": "How many"})}
    assert changes(BEFORE, contract(described)) == ()
    assert changes(BEFORE, contract(dict(reversed(list(BASE.items()))))) == ()


def test_every_option_of_a_column_is_compared() -> None:
    (column,) = (each for each in BEFORE.columns.values() if each.name == "s")
    other: dict[str, Any] = {
        "type": "number",
        "nullable": False,
        "default": "x",
        "categorical": True,
        "standardize": Spellings({"A": ()}, otherwise="B"),
        "derive": HashOf(("id",)),
        "time_formats": ("%d",),
        "time_zone": "UTC",
        "null_spellings": ("-",),
        "numerals": Numerals(percent=True),
        "time_source": with_column(
            "u", datetime, nullable=True, metadata={"source": "a", "time_source": "b"}
        )
        .columns["u"]
        .time_source,
        "separator": "|",
        "verbatim": True,
        "missing_if_equal_to": "id",
        "checks": with_column("s", str, isin=["a"]).columns["s"].checks,
        "source": with_column("s", str, metadata={"source": "x"}).columns["s"].source,
        "renamed_from": ("z",),
    }
    named = {option.name for option in fields(Column)} - {"name", "description"}
    assert set(other) == named
    for option, value in other.items():
        changed = dataclasses.replace(column, **{option: value})
        assert {c.what for c in _of_columns(column, changed)} == {"s"}, option


def _of_columns(before: Column, after: Column) -> tuple[Change, ...]:
    deployed, declared = contract(BASE), contract(BASE)
    deployed.__dict__["columns"] = {**deployed.columns, "s": before}
    declared.__dict__["columns"] = {**declared.columns, "s": after}
    return changes(deployed, declared)


def test_every_option_of_a_contract_is_compared_or_named_as_one_that_decides_no_row() -> None:
    other: dict[str, Any] = {
        "key": ("id", "n"),
        "event_time": "u",
        "time_of_day": "clock",
        "critical": ("n",),
        "late_after": timedelta(days=9),
        "future_after": timedelta(days=1),
        "max_record_bytes": 5,
        "explode": Explode("comments"),
    }
    assert set(other) == {f.name for f in fields(Contract) if is_of_rows(f.name)}
    for option, value in other.items():
        declared = contract(BASE)
        declared.__dict__[option] = value
        assert [c.what for c in changes(BEFORE, declared)] == [option]


def test_another_array_to_explode_cuts_raw_anew() -> None:
    declared = contract(BASE)
    declared.__dict__["explode"] = Explode("comments")
    assert kinds(BEFORE, declared) == {"option changed": "recut"}


def test_a_contract_from_its_text_differs_in_nothing_from_the_one_that_was_recorded() -> None:
    recorded = with_column("n", int, gt=5, metadata={"renamed_from": "k", "null_spellings": ["-"]})
    read = contract_of(text_of(recorded), BEFORE)
    assert changes(read, recorded) == ()
    assert kinds(read, BEFORE) == {
        "rule changed": "rebuild",
        "source changed": "rebuild",
        "conversion changed": "rebuild",
    }


@pytest.mark.parametrize("event_time", ["t", None])
@pytest.mark.parametrize(
    "option",
    [{"future_after": timedelta(1)}, {"max_record_bytes": 9}],
)
def test_an_option_decides_the_day_if_an_event_time_is_read(
    option: dict[str, Any], event_time: str | None
) -> None:
    before = contract(BASE, event_time=event_time)
    (change,) = changes(before, contract(BASE, event_time=event_time, **option))
    assert change.effect == ("dates" if event_time else "rebuild")


def test_the_platform_decides_the_day_if_the_event_time_stands_in_a_place_of_each() -> None:
    by_platform: dict[str, Any] = {"metadata": {"source": {"X": "a", "TikTok": "b"}}}
    spelled = {"metadata": {"standardize": Spellings({"X": ("x",)}, otherwise="Other")}}
    nowhere: dict[str, Any] = {}
    for options, effect in ((nowhere, "rebuild"), (by_platform, "dates")):
        columns = BASE | {"t": (datetime, options)}
        after = contract(columns | {"platform": (str, spelled)})
        assert kinds(contract(columns), after)["conversion changed"] == effect
