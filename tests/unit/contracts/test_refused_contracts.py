"""A contract that cannot work is refused at import, with stream, column and remedy."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pandera.ibis as pa
import pytest

from social_assets.contracts import column as column_module
from social_assets.contracts.column import OPTIONS
from social_assets.contracts.contract import AgeGroup, Contract, HashOf, HourOf, TimeOfDay
from social_assets.contracts.refusals.refuse_columns import RefusedError


def contract(columns: dict[str, tuple[Any, Any]] | None = None, **options: Any) -> Contract:
    """A contract with a key `ad_id` and these columns: name -> type and field."""
    declared = {"ad_id": (str, pa.Field(description="The advertisement")), **(columns or {})}
    model = type(
        "Ad",
        (pa.DataFrameModel,),
        {
            "__annotations__": {name: kind for name, (kind, _) in declared.items()},
            **{name: each for name, (_, each) in declared.items()},
        },
    )
    given = {"name": "ads", "key": ("ad_id",), "formats": ("csv",), "owner": "team:ads"} | options
    return Contract(model=model, **given)


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (list[str | None], "use list[str]; nulls within a list are dropped"),
        (int | None, "write `x: int = pa.Field(nullable=True)`"),
        (str | int, "use str, int, float, bool, datetime or list[str]"),
        (list[int], "use str, int, float"),
        (set[str], "use str, int, float"),
        (dict, "use str, int, float"),
        (date, "use str, int, float"),
        (bytes, "use str, int, float"),
        (Literal["a"], "use str, int, float"),
    ],
)
def test_an_unsupported_type_is_refused(kind: object, remedy: str) -> None:
    with pytest.raises(
        RefusedError, match=r"contract ads: column x: the type .* not supported"
    ) as e:
        contract({"x": (kind, pa.Field())})
    assert e.value.column == "x"
    assert remedy in e.value.remedy


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [
        (int, {"default": "none"}, "the default 'none' is no int; give a default of the type int"),
        (int, {"default": 1.5}, "the default 1.5 is no int"),
        (int, {"default": True}, "the default True is no int"),
        (int, {"default": 2**63}, "the default 9223372036854775808 has over 64 bits"),
        (str, {"default": 0}, "the default 0 is no str"),
        (bool, {"default": 1}, "the default 1 is no bool"),
        (float, {"default": "x"}, "the default 'x' is no float"),
        (datetime, {"default": "2026-01-01"}, "the default '2026-01-01' is no datetime"),
        (list[str], {"default": "a"}, "the default 'a' is no list[str]"),
        (str, {"metadata": {"standardise": TimeOfDay()}}, "did you mean standardize?"),
        (str, {"metadata": {"frobnicate": 1}}, "there is no option 'frobnicate' in metadata"),
        (str, {"metadata": {"standardize": TimeOfDay}}, "must be of the type Spellings or Time"),
        (str, {"metadata": {"time_formats": "%Y"}}, "the option time_formats is '%Y'"),
        (
            datetime,
            {"metadata": {"time_zone": "Mars/Base"}},
            "'Mars/Base' is no time zone; write a name",
        ),
        (int, {"metadata": {"standardize": TimeOfDay()}}, "standardize works on texts"),
        (str, {"metadata": {"derive": HourOf("ad_id")}}, "HourOf makes int, and the type is str"),
        (str, {"metadata": {"derive": AgeGroup("aeg")}}, "derived from aeg, not among the other"),
        (str, {"metadata": {"derive": HashOf(("x",))}}, "derived from x, not among the other"),
        (
            str,
            {"nullable": True, "metadata": {"missing_if_equal_to": "ad"}},
            "missing_if_equal_to is 'ad'; name another column of the type str",
        ),
        (
            int,
            {"metadata": {"missing_if_equal_to": "ad_id"}},
            "name another column of the type int",
        ),
        (str, {"metadata": {"missing_if_equal_to": "x"}}, "missing_if_equal_to is 'x'"),
        (str, {"unique": True}, "pa.Field(unique=True) has no effect here"),
        (str, {"ge": 0}, "the rule greater_than_or_equal_to(0) cannot be applied to str"),
        (str, {"alias": "my id"}, "column my id: this cannot be a column's name"),
        (str, {"alias": "index"}, "ClickHouse reads this name as a clause"),
        (str, {"alias": "1st"}, "column 1st: this cannot be a column's name"),
        (str, {"alias": 'a"b'}, "this cannot be a column's name"),
        (str, {"alias": "größe"}, "this cannot be a column's name"),
        (str, {"alias": "AD_ID"}, "the name differs from ad_id by case alone"),
        (str, {"alias": "x" * 200}, "a name of 200 characters"),
    ],
)
def test_a_column_that_cannot_work_is_refused(kind: object, field: Any, said: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(said)) as refused:
        contract({"x": (kind, pa.Field(**field))})
    assert refused.value.stream == "ads"
    assert refused.value.column
    assert refused.value.remedy


def test_a_value_that_must_not_be_missing_cannot_be_so_by_another_one() -> None:
    equal = pa.Field(metadata={"missing_if_equal_to": "ad_id"})
    with pytest.raises(RefusedError, match="missing_if_equal_to would reject records"):
        contract({"x": (str, equal)}, critical=("x",))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "Ads"}, "'Ads' cannot be a stream's name; a stream's name is snake_case"),
        ({"name": "raw"}, "raw is the name of a layer; give the stream another name"),
        ({"name": "star"}, "star is the name of a layer"),
        ({"name": "x" * 200}, "a name of 200 characters"),
        ({"topic": "my topic"}, "'my topic' cannot be a Kafka topic"),
        ({"owner": "ads"}, "'ads' cannot be an owner in Dagster; write \"team:NAME\""),
        ({"key": "ad_id"}, "key is 'ad_id'; write key=(\"ad_id\",)"),
        ({"key": ()}, "key is (); name at least one"),
        ({"key": ("ad_id", "ad_id")}, "name at least one, and each once"),
        ({"formats": ("json",)}, "no format 'json'; use csv, ndjson, parquet"),
        ({"formats": ()}, "formats is ()"),
        ({"critical": ("no_such",)}, "critical names it, and Ad has no such column"),
        ({"event_time": "ad_id"}, "column ad_id: the event time is of the type str"),
        ({"time_of_day": "ad_id"}, "column ad_id: the contract's time_of_day is not standardized"),
        ({"time_zone": "Nowhere"}, "column ad_id: 'Nowhere' is no time zone"),
        ({"warn_above": 5.0}, "warn_above is 5.0 and fail_above 0.05; they are shares"),
        ({"max_record_bytes": 0}, "max_record_bytes is 0"),
        ({"late_after": timedelta(-1)}, "late_after is"),
        ({"model": dict}, "is no model of pandera.ibis"),
    ],
)
def test_a_contract_that_cannot_work_is_refused(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        model = options.pop("model", None)
        if model is None:
            contract(**options)
        else:
            Contract("ads", model, ("ad_id",), ("csv",), "team:ads")


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [
        (str, {"nullable": True}, "a column of the key cannot be nullable; remove nullable=True"),
        (float, {}, "float cannot be in the key; use str"),
        (list[str], {"nullable": True}, "a column of the key cannot be nullable"),
    ],
)
def test_a_key_that_cannot_identify_a_row_is_refused(kind: object, field: Any, said: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(f"column x: {said}")):
        contract({"x": (kind, pa.Field(**field))}, key=("ad_id", "x"))


@pytest.mark.parametrize("name", ["select", "order", "primary", "Views", "from", "key"])
def test_reserved_words_of_sql_are_names_of_columns(name: str) -> None:
    assert name in contract({"x": (int, pa.Field(alias=name))}).columns


def test_every_option_that_a_column_reads_may_be_declared() -> None:
    read = re.findall(r'metadata\.get\("(\w+)"', Path(str(column_module.__file__)).read_text())
    assert set(read) == set(OPTIONS)
