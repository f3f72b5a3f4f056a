"""Platform health: lag, freshness, rejected records, invariants, pending days."""

from social_assets.serving.charts.tile import Chart
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.health import read
from social_assets.serving.dashboards.health.tile import HealthTile

_LAKE = ("raw/*", "cleaned/*", "quarantine/*")
_CLEANED = ("cleaned.*",)
_PENDING = ("cleaned.pending_days",)
_IN_PROGRESS = "A load that is running differs for a moment."

DASHBOARD = Dashboard(
    name="platform_health",
    title="Platform health",
    description="How fresh the data is, what was rejected, and whether every count agrees",
    order=110,
    range="last_30_days",
    tiles=(
        HealthTile(
            "differing",
            "Days that differ",
            Chart.NUMBER,
            read.count_of(read.invariants, "differing", "Days that differ"),
            "number of days on which two counts of an invariant differ; 0 is good",
            _LAKE,
            note=_IN_PROGRESS,
            width=4,
        ),
        HealthTile(
            "pending",
            "Pending days",
            Chart.NUMBER,
            read.count_of(read.pending_days, "days", "Pending days"),
            "number of days that star or rollups do not hold yet; 0 is good",
            _PENDING,
            width=4,
        ),
        HealthTile(
            "rejected",
            "Rejected records",
            Chart.NUMBER,
            read.count_of(read.rejected_by_rule, "records", "Rejected records"),
            "number of records that broke a rule of their contract; a record may break several",
            ("quarantine/*",),
            width=4,
        ),
        HealthTile(
            "freshness",
            "Freshness by stream",
            Chart.TABLE,
            read.freshness,
            "lag = time of the newest load - time of the newest event",
            _CLEANED,
            width=12,
        ),
        HealthTile(
            "accepted",
            "Accepted records by event date",
            Chart.LINE,
            read.accepted_by_day,
            "number of accepted records by event date",
            _CLEANED,
            width=8,
        ),
        HealthTile(
            "rejected_share",
            "Rejected share by stream",
            Chart.BARS,
            read.rejected_share,
            "(rejected records) / (raw records)",
            _LAKE,
            width=4,
        ),
        HealthTile(
            "rules",
            "Rejected records by rule",
            Chart.BARS,
            read.rejected_by_rule,
            "number of records that broke a rule; the ten rules with the most",
            ("quarantine/*",),
            empty="No record was rejected in this range.",
            width=6,
        ),
        HealthTile(
            "invariants",
            "Invariants by stream",
            Chart.TABLE,
            read.invariants,
            "raw = cleaned + duplicates + rejected; cleaned in the lake = cleaned in ClickHouse",
            _LAKE,
            note=_IN_PROGRESS,
            width=6,
        ),
    ),
)
