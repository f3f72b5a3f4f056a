"""Finds the broken rules of each record: every rule of the contract is one boolean Ibis column.

Belongs here: the compilation of rules: those of decoding, presence, type and time that every stream
has, and those of the contract's pandera schema. The names of a record's broken rules are joined in
one text, so that one pass gives the accepted records, the rejected ones and the count of each rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from resources.settings.first_date import earliest_event_date
from resources.settings.variables import FIRST_DATE
from social_assets.contracts.column import Column, TimeOfDay
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.change_capture import OP, REMOVALS
from social_assets.contracts.pandera_private import Check, passes
from social_assets.transform.element_rules import broken_element_rules, element_rules
from social_assets.transform.standardize import is_too_early
from social_assets.transform.values.combined import any_of

SEPARATOR = ";"
TOTALS = "record_of_totals"
"""The rule of rows that belong to a report and are no records: rejecting them is no fault."""

FORGOTTEN = "person_forgotten"
"""The reason of records of persons who are forgotten. It is no rule of a contract: `rules` has none
of the name, and rejecting such records is no fault."""


@dataclass(frozen=True)
class Rule:
    """A rule that a record can break: its name in reasons and checks, and its meaning."""

    name: str
    description: str


def rules(contract: Contract) -> tuple[Rule, ...]:
    """Every rule of a stream, in the order in which reasons are listed."""
    found = [
        Rule("record_too_long", f"longer than {contract.max_record_bytes} bytes"),
        Rule("record_not_utf8", "bytes that are no UTF-8 text"),
        Rule("record_not_json_object", "no JSON object"),
        Rule("record_field_count", "a CSV record with more or fewer fields than its header"),
        Rule("record_quote_not_closed", "a CSV field that opens a quote and does not close it"),
        Rule(TOTALS, "a CSV row of totals: its first field is Total, another is empty"),
    ]
    found += [Rule(name, told) for name, told in element_rules(contract).items()]
    found += [Rule(f"{c}_missing", f"{c} is null or empty") for c in contract.required]
    found += [
        Rule(f"{c.name}_not_{_type_word(c)}", f"{c.name} cannot be read as {_type_word(c)}")
        for c in contract.source_columns
    ]
    found += [
        Rule(
            f"{c.name}_day_or_month",
            f"{c.name} is a date of which day and month can be exchanged; declare time_formats",
        )
        for c in contract.source_columns
        if c.type == "timestamp"
    ]
    found += [
        Rule(_rule_name(c, check), f"{c.name} fails {check.error}")
        for c in contract.columns.values()
        for check in c.checks
    ]
    if contract.event_time is not None:
        first = earliest_event_date()
        found += [
            Rule("event_time_before_first_date", f"before the first date, {first} ({FIRST_DATE})")
        ]
    if _has_time_limits(contract):
        found += [
            Rule("event_time_in_the_future", f"over {contract.future_after} after its arrival"),
            Rule("event_time_too_late", f"live, and over {contract.late_after} old at arrival"),
        ]
    return tuple(found)


def validated(records: ir.Table, contract: Contract) -> ir.Table:
    """Cleaned records with `reasons`: the names of the broken rules, joined; empty if accepted.

    If a record could not be opened, that is its only reason.
    """
    broken = _broken(records, contract)
    opening = {name: broken.pop(name) for name in list(broken) if name.startswith("record_")}
    return records.mutate(
        reasons=ibis.cases(
            (_any(opening), _joined(opening)), (_any(broken), _joined(broken)), else_=""
        )
    )


def _broken(t: ir.Table, contract: Contract) -> dict[str, ir.BooleanValue]:
    """Rule name -> whether a record breaks it; the names are those of `rules`."""
    is_text = t.record_text.notnull()
    broken: dict[str, ir.BooleanValue] = {
        "record_too_long": t.too_long,
        "record_not_utf8": ~t.too_long & ~is_text,
        "record_not_json_object": is_text & ~t.is_json,
        "record_field_count": is_text & ~t.field_count_ok,
        "record_quote_not_closed": is_text & ~t.quotes_closed,
        TOTALS: is_text & t.is_total,
        **broken_element_rules(t, contract),
    }
    for name in contract.required:
        broken[f"{name}_missing"] = t[f"missing_{name}"]
    for column in contract.source_columns:
        broken[f"{column.name}_not_{_type_word(column)}"] = t[f"bad_{column.name}"]
        if column.type == "timestamp":
            broken[f"{column.name}_day_or_month"] = t[f"either_{column.name}"].fill_null(False)
    for column in contract.columns.values():
        for check in column.checks:
            broken[_rule_name(column, check)] = ~passes(t, column.name, check)
    if contract.capture is not None:
        broken = _of_changes(t, contract, broken)
    if contract.event_time is not None:
        broken["event_time_before_first_date"] = is_too_early(t.event_time)
    if _has_time_limits(contract):
        broken["event_time_in_the_future"] = t.event_time > t.ingested_at + _interval(
            contract.future_after
        )
        broken["event_time_too_late"] = (t.source == "kafka") & (
            t.event_time < t.timestamp - _interval(contract.late_after)
        )
    return broken


def _has_time_limits(contract: Contract) -> bool:
    """Whether a record can be too late or too early: a change cannot, since each one counts."""
    return contract.event_time is not None and contract.capture is None


def _of_changes(
    t: ir.Table, contract: Contract, broken: dict[str, ir.BooleanValue]
) -> dict[str, ir.BooleanValue]:
    """The rules for changes.

    Those of the row's columns do not apply to a row that is gone, those of the key's columns not to
    a truncate, which is of no row.
    """
    of_row = {
        rule
        for column in contract.columns.values()
        if column.name not in contract.required
        for rule in _rules_of(column)
    }
    of_key = {rule for name in contract.key for rule in _rules_of(contract.columns[name])}
    is_removal = t[OP].isin(REMOVALS).fill_null(False)
    is_of_no_row = (t[OP] == "truncate").fill_null(False)
    return broken | {
        **{name: broken[name] & ~is_removal for name in of_row & broken.keys()},
        **{name: broken[name] & ~is_of_no_row for name in of_key & broken.keys()},
    }


def _rules_of(column: Column) -> Iterator[str]:
    """The names of the rules that a column's value can break."""
    yield f"{column.name}_not_{_type_word(column)}"
    yield f"{column.name}_day_or_month"
    for check in column.checks:
        yield _rule_name(column, check)


def _any(broken: Mapping[str, ir.BooleanValue]) -> ir.BooleanValue:
    """Whether any rule is broken. Evaluated first, since most records need no text of reasons."""
    return any_of(broken.values())


def _joined(broken: Mapping[str, ir.BooleanValue]) -> ir.StringValue:
    names = [ibis.cases((flag, ibis.literal(name))) for name, flag in broken.items()]
    return ibis.literal(SEPARATOR).join(names)


def _rule_name(column: Column, check: Check) -> str:
    return f"{column.name}_{check.name}"


def _type_word(column: Column) -> str:
    """What a value must be; a text is everything but a JSON object or list."""
    if isinstance(column.standardize, TimeOfDay):
        return "time_of_day"
    return "text" if column.type == "string" else column.type


def _interval(span: timedelta) -> ir.IntervalScalar:
    return ibis.interval(seconds=int(span.total_seconds()))
