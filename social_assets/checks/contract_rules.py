"""The contract's rules as asset checks of `cleaned/<stream>`: one a rule.

Here belongs the reporting of verdicts that cleaning has given: share, count and sample of the
records that a rule has rejected. Nothing is validated again; what a rule is stands in
`engine.verdicts`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    TableRecord,
    multi_asset_check,
)

from resources.stores import StoresResource
from social_assets.contracts.contract import Contract
from social_assets.defs.partitions import days_of_check
from social_assets.engine.verdicts import Rule, rules
from social_assets.hops.stores import StreamStores

SAMPLE = 5
SAMPLE_BYTES = 300


@dataclass(frozen=True)
class Broken:
    """What one rule has rejected on the days looked at, and on the worst of them."""

    records: int
    worst_day: date | None
    worst_share: float
    sample: tuple[TableRecord, ...]


def contract_checks(contract: Contract) -> AssetChecksDefinition:
    """One check a rule. It passes while no day's share of rejected records is over `warn_above`;
    over that it warns, over `fail_above` it is an error.
    """
    asset_key = ["cleaned", contract.name]
    found = rules(contract)

    @multi_asset_check(
        name=f"contract_{contract.name}",
        specs=[AssetCheckSpec(r.name, asset=asset_key, description=r.description) for r in found],
        can_subset=True,
    )
    def check(
        context: AssetCheckExecutionContext, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        stream = stores.stores().of(contract)
        broken = broken_rules(stream, days_of_check(context))
        selected = {key.name for key in context.selected_asset_check_keys}
        for rule in found:
            if rule.name in selected:
                yield verdict(contract, rule, broken.get(rule.name))

    return check


def verdict(contract: Contract, rule: Rule, broken: Broken | None) -> AssetCheckResult:
    """The check result of one rule."""
    if broken is None:
        broken = Broken(0, None, 0.0, ())
    severe = broken.worst_share > contract.fail_above
    metadata: dict[str, MetadataValue] = {
        "rejected_records": MetadataValue.int(broken.records),
        "worst_share": MetadataValue.float(round(broken.worst_share, 6)),
    }
    if broken.worst_day is not None:
        metadata["worst_day"] = MetadataValue.text(broken.worst_day.isoformat())
    if broken.sample:
        metadata["sample"] = MetadataValue.table(list(broken.sample))
    return AssetCheckResult(
        asset_key=["cleaned", contract.name],
        check_name=rule.name,
        passed=broken.worst_share <= contract.warn_above,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=f"{broken.records} records: {rule.description}" if broken.records else None,
        metadata=metadata,
    )


def broken_rules(stream: StreamStores, days: list[date] | None) -> dict[str, Broken]:
    """Every rule that has rejected records of the days (None: all), with counts and a sample."""
    raw = stream.raw.rows_by_day()
    columns = ["reasons", "verdict", "event_date", "origin", "offset", "value"]
    with stream.engine.session() as session:
        rows = session.scan(stream.quarantine.files(days), stream.quarantine.schema, columns)
        rejected = rows.filter(rows.verdict == "rejected")
        by_rule = rejected.mutate(rule=rejected.reasons.unnest()).drop("reasons", "verdict")
        counts = session.table(by_rule.group_by("rule", "event_date").agg(n=by_rule.count()))
        sample = session.table(_sample(by_rule))
    samples: dict[str, list[TableRecord]] = {}
    for row in sample.to_pylist():
        record = {
            "event_date": row["event_date"].isoformat(),
            "origin": row["origin"],
            "row": row["offset"],
            "record": (row["value"] or b"")[:SAMPLE_BYTES].decode("utf-8", "replace"),
        }
        samples.setdefault(row["rule"], []).append(TableRecord(record))
    found: dict[str, Broken] = {}
    for row in counts.to_pylist():
        share = row["n"] / raw[row["event_date"]]
        before = found.get(row["rule"], Broken(0, None, 0.0, ()))
        worse = share > before.worst_share
        found[row["rule"]] = Broken(
            records=before.records + row["n"],
            worst_day=row["event_date"] if worse else before.worst_day,
            worst_share=max(share, before.worst_share),
            sample=tuple(samples[row["rule"]]),
        )
    return found


def _sample(by_rule: ir.Table) -> ir.Table:
    import ibis

    window = ibis.window(group_by="rule", order_by=["event_date", "origin", "offset"])
    numbered = by_rule.mutate(number=ibis.row_number().over(window))
    return numbered.filter(numbered.number < SAMPLE).drop("number")
