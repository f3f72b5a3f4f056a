"""The results of a contract's rules: what each has rejected, on all days of the lake.

Belongs here: the report of what cleaning has found: share, count and sample of the records that a
rule has rejected. Nothing is validated again; the rules are in `transform.validate`, the asset
checks in `rule_checks`.

A validation result belongs to a day, and stays until the day is rebuilt, unloaded or expired. A
result is the worst of all days of the lake, whatever days a run has: a run of other days, or of
none, never makes a failing check pass. Loads, drains and rebuilds report the results.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import ibis.expr.types as ir
from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetKey,
    MetadataValue,
    TableRecord,
)

from social_assets.contracts.contract import Contract
from social_assets.lake.schemas import ELEMENT
from social_assets.pipeline.stores import StreamStores
from social_assets.quality.counted import counted
from social_assets.quality.rejected_counts import Count, by_rule_and_day, rejected_counts
from social_assets.transform.validate import TOTALS, Rule, rules

REPORT_SECONDS = 10.0
SAMPLE = 5
DAYS_SHOWN = 10
SAMPLE_BYTES = 300


@dataclass(frozen=True)
class Broken:
    """The records that one rule has rejected on all days, on the worst day, and its share
    on each.
    """

    records: int
    worst_day: date | None
    worst_share: float
    sample: tuple[TableRecord, ...] = ()
    days: Mapping[date, float] = field(default_factory=dict)


def report_rules(stream: StreamStores) -> list[AssetCheckEvaluation]:
    """The result of every rule; the caller has changed days of the stream."""
    broken = broken_rules(stream)
    contract = stream.contract
    results = [rule_result(contract, rule, broken.get(rule.name)) for rule in rules(contract)]
    return [
        AssetCheckEvaluation(
            asset_key=AssetKey(["cleaned", contract.name]),
            check_name=str(each.check_name),
            passed=each.passed,
            severity=each.severity,
            description=each.description,
            metadata=each.metadata,
        )
        for each in results
    ]


class RuleReports:
    """The results of a stream's rules during a run that lasts some minutes."""

    def __init__(self, stream: StreamStores) -> None:
        self._stream = stream
        self._looked = time.monotonic()
        self._reported: dict[str, tuple[bool, AssetCheckSeverity]] = {}

    def changes(self) -> list[AssetCheckEvaluation]:
        """The results that have become better or worse; looks at most every REPORT_SECONDS."""
        if time.monotonic() - self._looked < REPORT_SECONDS:
            return []
        found = report_rules(self._stream)
        self._looked = time.monotonic()
        changed = [e for e in found if self._reported.get(e.check_name) != (e.passed, e.severity)]
        self._reported = {e.check_name: (e.passed, e.severity) for e in found}
        return changed

    def all(self) -> list[AssetCheckEvaluation]:
        """All results, for the end of the run."""
        return report_rules(self._stream)


def rule_result(contract: Contract, rule: Rule, broken: Broken | None) -> AssetCheckResult:
    """The check result of one rule."""
    if broken is None:
        broken = Broken(0, None, 0.0, ())
    severe = broken.worst_share > contract.fail_above and rule.name != TOTALS
    metadata: dict[str, MetadataValue] = {
        "rejected_records": MetadataValue.int(broken.records),
        "worst_share": MetadataValue.float(round(broken.worst_share, 6)),
    }
    if broken.worst_day is not None:
        metadata["worst_day"] = MetadataValue.text(broken.worst_day.isoformat())
    over = sorted(day for day, share in broken.days.items() if share > contract.warn_above)
    if over:
        metadata["days_over_the_limit"] = MetadataValue.int(len(over))
        worst = sorted(over, key=lambda day: broken.days[day], reverse=True)[:DAYS_SHOWN]
        rows = [
            TableRecord({"event_date": day.isoformat(), "share": round(broken.days[day], 6)})
            for day in worst
        ]
        metadata["worst_days"] = MetadataValue.table(rows)
    if broken.sample:
        metadata["sample"] = MetadataValue.table(list(broken.sample))
    return AssetCheckResult(
        asset_key=["cleaned", contract.name],
        check_name=rule.name,
        passed=broken.worst_share <= contract.warn_above or rule.name == TOTALS,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=_description(contract, rule, broken),
        metadata=metadata,
    )


def _description(contract: Contract, rule: Rule, broken: Broken) -> str | None:
    """What was rejected, where it is worst, an example; and below, what to do."""
    if not broken.records:
        return None
    days = max(len(broken.days), 1)
    where = f"{counted(broken.records, 'rejected record')} on {counted(days, 'day')}"
    if broken.worst_day is not None:
        where += f", the most on {broken.worst_day}: {broken.worst_share:.2%} of its raw records"
    limits = f"(warning over {contract.warn_above:.2%}, error over {contract.fail_above:.2%})"
    example = ""
    if broken.sample:
        at = broken.sample[0].data
        example = f"; for example {at['origin']} row {at['row']}"
    return (
        f"{where} {limits}{example}; rule: {rule.description}\n\nSee `social-assets "
        f"quarantine {contract.name}`; mend the source or the contract, then backfill the day"
    )


def broken_rules(stream: StreamStores) -> dict[str, Broken]:
    """Every rule that has rejected records on any day of the lake, with counts and a sample."""
    files = rejected_counts(stream)
    # Read after the counts: a day is in raw before it is in quarantine.
    raw = stream.raw.rows_by_day()
    found: dict[str, Broken] = {}
    for (rule, day), records in sorted(by_rule_and_day(files).items()):
        if day not in raw:  # removed between the two looks
            continue
        share = records / raw[day]
        before = found.get(rule, Broken(0, None, 0.0))
        worse = share > before.worst_share
        found[rule] = Broken(
            records=before.records + records,
            worst_day=day if worse else before.worst_day,
            worst_share=max(share, before.worst_share),
            days={**before.days, day: share},
        )
    samples = _samples(stream, files, found)
    return {rule: replace(each, sample=samples.get(rule, ())) for rule, each in found.items()}


def _samples(
    stream: StreamStores, files: Iterable[Count], broken: Mapping[str, Broken]
) -> dict[str, tuple[TableRecord, ...]]:
    """Records of each rule's worst day, read from one data file a rule."""
    worst_days = {rule: each.worst_day for rule, each in broken.items()}
    worst = {each.rule: each.file for each in files if each.day == worst_days.get(each.rule)}
    if not worst:
        return {}
    # Of records that were cut out of one of Kafka, the offset is not theirs alone.
    schema = stream.quarantine.schema
    element = [ELEMENT.name] if ELEMENT.name in schema.names else []
    columns = ["reasons", "verdict", "event_date", "origin", "offset", *element, "value"]
    with stream.engine.session() as session:
        files_read = sorted(set(worst.values()))
        rows = session.scan(files_read, schema, columns, may_lack=bool(element))
        rejected = rows.filter(rows.verdict == "rejected")
        by_rule = rejected.mutate(rule=rejected.reasons.unnest()).drop("reasons", "verdict")
        sample = session.table(_sample(by_rule, element))
    samples: dict[str, list[TableRecord]] = {}
    for row in sample.to_pylist():
        if row["event_date"] != worst_days.get(row["rule"]):
            continue
        record = {
            "event_date": row["event_date"].isoformat(),
            "origin": row["origin"],
            "row": row["offset"],
            **{name: row[name] for name in element},
            "record": (row["value"] or b"")[:SAMPLE_BYTES].decode("utf-8", "replace"),
        }
        samples.setdefault(row["rule"], []).append(TableRecord(record))
    return {rule: tuple(found) for rule, found in samples.items()}


def _sample(by_rule: ir.Table, element: list[str]) -> ir.Table:
    import ibis

    window = ibis.window(
        group_by=["rule", "event_date"], order_by=["event_date", "origin", "offset", *element]
    )
    numbered = by_rule.mutate(number=ibis.row_number().over(window))
    return numbered.filter(numbered.number < SAMPLE).drop("number")
