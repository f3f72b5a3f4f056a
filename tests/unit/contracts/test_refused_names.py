"""A refused name or option tells stream, column, reason and remedy, whatever is wrong with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Retention
from social_assets.contracts.refusals.refuse_columns import RefusedError


def contract(columns: dict[str, type] | None = None, **options: Any) -> Contract:
    fields = {
        name: pa.Field(metadata=options.pop(f"metadata_of_{name}", None))
        for name in (columns or {})
    }
    kinds = {"ad_id": str, **(columns or {})}
    model = type("Ad", (pa.DataFrameModel,), {"__annotations__": kinds, **fields})
    given = {"key": ("ad_id",), "formats": ("ndjson",), "owner": "team:ads"} | options
    return Contract(name="ads", model=model, **given)


@pytest.mark.parametrize(
    ("given", "column", "reason", "remedy"),
    [
        (
            {"key": ("id",)},
            "id",
            "key names it, and Ad has no such column",
            "its columns are ad_id",
        ),
        ({"critical": ("x",)}, "x", "critical names it", "correct `critical`"),
        ({"absent": ("x",)}, "x", "absent names it", "correct `absent`"),
        ({"event_time": "t"}, "t", "event_time names it", "add the column to Ad"),
        ({"time_of_day": "t"}, "t", "time_of_day names it", "add the column to Ad"),
        ({"columns": {"offset": int}}, "offset", "a use of its own", '{"source": "offset"}'),
        (
            {"columns": {"event_time": datetime}},
            "event_time",
            "a use of its own",
            'event_time="event_time"',
        ),
        (
            {"columns": {"likes": int}, "metadata_of_likes": {"source": {"X": "n"}}},
            "likes",
            "no column platform",
            "add that column",
        ),
        ({"columns": {"adid": int}}, "adid", "ad_id and adid are one name", "`source`"),
        ({"lag_warn_above": 9, "lag_fail_above": 1}, "", "lag_warn_above is 9", "must hold"),
        ({"lag_warn_above": "9"}, "", "lag_warn_above is '9'", "a whole number"),
        ({"max_record_bytes": 1.5}, "", "max_record_bytes is 1.5", "a whole number"),
        ({"fail_above": "5%"}, "", "fail_above is '5%'", "a share from 0 to 1"),
        ({"retention": Retention(raw_days=3)}, "", "raw_days is 3", "lower late_after"),
        ({"retention": Retention(raw_days="9")}, "", "raw_days of retention is '9'", "of days"),  # type: ignore[arg-type]
        ({"retention": 90}, "", "retention is 90", "retention=Retention(...)"),
        ({"csv": ";"}, "", "csv is ';'", "csv=CsvFormat(...)"),
        ({"records_at": ("data",)}, "", "records_at is ('data',)", "one text"),
        ({"late_after": timedelta(-1)}, "", "late_after is", "a timedelta"),
    ],
)
def test_a_refusal_tells_column_reason_and_remedy(
    given: dict[str, Any], column: str, reason: str, remedy: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        contract(**given)
    assert (refused.value.stream, refused.value.column) == ("ads", column)
    assert reason in refused.value.reason
    assert remedy in refused.value.remedy
