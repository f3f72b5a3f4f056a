"""For every rule of every contract, a record that breaks only that rule."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from social_assets.contracts.column import Column, Spellings, TimeOfDay
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.transform.validate import rules
from tests.integration.transform.raw_records import ARRIVAL, Validate

GOOD = {"integer": "20", "number": "5", "boolean": "yes", "strings": '["a", "b"]'}
BROKEN_CHECKS = {
    "greater_than": "0",
    "greater_than_or_equal_to": "-1",
    "in_range": "10000",
    "isin": "none of these",
    "notin": "Unknown",
}


def good_value(column: Column) -> str:
    if isinstance(column.standardize, TimeOfDay):
        return "9:30 PM"
    if isinstance(column.standardize, Spellings):
        return next(iter(column.standardize.canonical)).upper()
    if column.type == "timestamp":
        return "2026-01-01T12:00:00Z"
    allowed = [
        check.statistics["allowed_values"] for check in column.checks if check.name == "isin"
    ]
    ranges = [check.statistics for check in column.checks if check.name == "in_range"]
    if column.type == "number" and ranges:
        return str(ranges[0]["max_value"])
    return next(iter(allowed[0])) if allowed else GOOD.get(column.type, "text")


def good_record(contract: Contract) -> dict[str, str]:
    return {column.name: good_value(column) for column in contract.source_columns}


def as_json(record: dict[str, str]) -> bytes:
    return json.dumps(record).encode()


def as_csv(record: dict[str, str]) -> tuple[str, bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(record)
    writer.writerow(record.values())
    header, line, _ = text.getvalue().split("\n")
    return header, line.encode()


def changes(contract: Contract) -> Iterator[tuple[str, dict[str, str]]]:
    """Rule name -> the change of a good record that breaks the rule, if there is one."""
    for name in contract.required:
        yield f"{name}_missing", {name: "  "}
    for column in contract.source_columns:
        word = "time_of_day" if isinstance(column.standardize, TimeOfDay) else column.type
        if word == "string":
            yield f"{column.name}_not_text", {column.name: {"nested": "object"}}
        yield f"{column.name}_not_{word}", {column.name: "no such thing"}
        if column.type == "timestamp":
            yield f"{column.name}_day_or_month", {column.name: "03/07/2025 13:45"}
        for check in column.checks:
            yield f"{column.name}_{check.name}", {column.name: BROKEN_CHECKS[check.name]}
    if contract.event_time:
        yield "event_time_before_first_date", {contract.event_time: "2012-12-31"}
        yield "event_time_in_the_future", {contract.event_time: f"{ARRIVAL.year + 1}-01-01"}
        yield "event_time_too_late", {contract.event_time: f"{ARRIVAL.year - 1}-01-01"}


@pytest.mark.parametrize("contract", contracts(), ids=lambda c: c.name)
def test_a_good_record_has_no_reason_as_json_and_as_csv(
    validate: Validate, contract: Contract
) -> None:
    header, line = as_csv(good_record(contract))
    (from_csv,) = validate(contract, [line], header)
    (from_json,) = validate(contract, [as_json(good_record(contract))])
    assert from_json["reasons"] == from_csv["reasons"] == []
    assert {**from_json, "csv_header": header} == {**from_csv, "csv_header": header}


def breaking(contract: Contract, rule: str) -> bytes:
    """A JSON record that breaks one rule; a CSV line for the rule that only CSV has."""
    _, line = as_csv(good_record(contract))
    of_opening = {
        "record_too_long": b'{"a": "' + b"x" * contract.max_record_bytes + b'"}',
        "record_not_utf8": '{"a": "é"}'.encode("cp1252"),
        "record_not_json_object": b'["a list"]',
        "record_field_count": line + b",one too many",
        "record_quote_not_closed": b'"' + line,
        "record_of_totals": b"Total" + b"," * (len(good_record(contract)) - 1),
    }
    if rule in of_opening:
        return of_opening[rule]
    return as_json(good_record(contract) | dict(changes(contract))[rule])


@pytest.mark.parametrize("contract", contracts(), ids=lambda c: c.name)
def test_a_record_that_breaks_one_rule_is_rejected_for_that_alone(
    validate: Validate, contract: Contract
) -> None:
    header, _ = as_csv(good_record(contract))
    names = [rule.name for rule in rules(contract)]
    of_csv = ["record_field_count", "record_quote_not_closed", "record_of_totals"]
    of_live = ["event_time_too_late"]
    of_json = [name for name in names if name not in (*of_csv, *of_live)]
    for group, csv_header, source in (
        (of_json, None, "file"),
        (of_csv, header, "file"),
        ([name for name in of_live if name in names], None, "kafka"),
    ):
        values = [breaking(contract, name) for name in group]
        rows = validate(contract, values, csv_header, source)
        assert [row["reasons"] for row in rows] == [[name] for name in group]
