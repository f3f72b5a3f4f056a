"""The analysis of experiments on a real warehouse, beside NumPy on the same planted rows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.recommend.experiments.analysis import Analysis, analyze
from social_assets.recommend.experiments.assignment import variant_of, variant_sql
from social_assets.recommend.experiments.definition import Experiment, Guardrail, Unit, Variant
from social_assets.recommend.experiments.recommendation import Action
from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.experiments.planted import (
    EXPERIMENT,
    START,
    Planted,
    changed,
    event,
    exposure,
    population,
)


def analyzed(
    warehouse: WarehouseUnderTest, planted: Planted, experiment: Experiment = EXPERIMENT
) -> Analysis:
    if planted.exposures:
        warehouse.stream("experiment_exposures", *planted.exposures)
    if planted.events:
        warehouse.stream("engagement_events", *planted.events)
    with ClickHouseResource().client() as client:
        return analyze(client, experiment)


def test_a_planted_lift_is_found_and_its_variant_is_shipped(warehouse: WarehouseUnderTest) -> None:
    found = analyzed(warehouse, population(1_200, lift=0.3))
    assert found.as_of == START + timedelta(days=6)
    assert found.recommendation.action is Action.SHIP
    assert found.recommendation.variant == "newest"
    likes = next(row for row in found.newest if row.metric == "likes")
    assert likes.found.lift_always is not None
    assert likes.found.lift_always.low < 0.3 < likes.found.lift_always.high
    assert likes.found.variance_removed > 0.3
    assert likes.adjusted_p_value is not None and likes.adjusted_p_value < 0.001


def test_sums_of_the_warehouse_are_those_of_numpy(warehouse: WarehouseUnderTest) -> None:
    planted = population(300, lift=0.1)
    found = analyzed(warehouse, planted, changed(before=timedelta(0)))
    first = {row["user_id"]: row for row in planted.exposures}
    likes = {
        name: np.array(
            [
                sum(
                    each["value"]
                    for each in planted.events
                    if each["user_id"] == user
                    and each["metric_type"] == "like"
                    and each["event_time"] >= row["event_time"]
                )
                for user, row in first.items()
                if row["variant"] == name
            ]
        )
        for name in ("control", "newest")
    }
    row = next(each for each in found.newest if each.metric == "likes")
    means = {name: values.mean() for name, values in likes.items()}
    error = sum(values.var(ddof=1) / len(values) for values in likes.values()) ** 0.5
    assert row.found.mean == pytest.approx(means["newest"])
    assert row.found.control_mean == pytest.approx(means["control"])
    assert row.found.standard_error == pytest.approx(error)
    assert found.counted == {name: len(values) for name, values in likes.items()}


def test_a_unit_counts_when_its_window_is_over(warehouse: WarehouseUnderTest) -> None:
    found = analyzed(warehouse, population(400))
    by_day = {row.as_of: row.found for row in found.rows if row.metric == "likes"}
    # Exposed on three days, and two days later complete.
    units = [each.units + each.control_units for _, each in sorted(by_day.items())]
    assert units == sorted(units) and units[-1] == 400 and units[0] < 400
    assert min(by_day) == START + timedelta(days=2)
    assert found.counted == found.exposures.units


def test_reactions_after_the_window_and_before_the_exposure_are_no_outcome(
    warehouse: WarehouseUnderTest,
) -> None:
    when = at(f"{START} 12:00")
    rows = [exposure(user, variant, when) for user, variant in PAIRS]
    events = [
        *(event(user, "like", when + timedelta(hours=1), 2.0 + n) for n, (user, _) in PAIRED),
        *(event(user, "like", when + timedelta(days=2), 100.0) for user, _ in PAIRS),
        *(event(user, "like", when - timedelta(seconds=1), 50.0) for user, _ in PAIRS),
        event("closing", "view", when + timedelta(days=6)),
    ]
    found = analyzed(warehouse, Planted(rows, events), changed(before=timedelta(0)))
    row = next(each for each in found.newest if each.metric == "likes")
    assert (row.found.control_mean, row.found.mean) == (3.0, 4.0)


def test_the_first_exposure_counts(warehouse: WarehouseUnderTest) -> None:
    when = at(f"{START} 12:00")
    rows = [
        exposure(user, variant, when + timedelta(hours=hours), hours)
        for user, variant in PAIRS
        for hours in (0, 30)
    ]
    events = [
        *(event(user, "like", when + timedelta(hours=1), 2.0 + n) for n, (user, _) in PAIRED),
        *(event(user, "like", when + timedelta(hours=70), 100.0) for user, _ in PAIRS),
        event("closing", "view", when + timedelta(days=6)),
    ]
    found = analyzed(warehouse, Planted(rows, events), changed(before=timedelta(0)))
    row = next(each for each in found.newest if each.metric == "likes")
    assert (row.found.control_mean, row.found.mean) == (3.0, 4.0)
    assert found.exposures.total == 4


PAIRS = [("a", "control"), ("b", "newest"), ("c", "control"), ("d", "newest")]
PAIRED = list(enumerate(PAIRS))


def test_a_unit_in_two_variants_is_left_out_and_counted(warehouse: WarehouseUnderTest) -> None:
    planted = population(300)
    moved = planted.exposures[:20]
    other = {"control": "newest", "newest": "control"}
    again = [
        exposure(row["user_id"], other[row["variant"]], row["event_time"] + timedelta(hours=1))
        for row in moved
    ]
    found = analyzed(warehouse, Planted([*planted.exposures, *again], planted.events))
    assert found.exposures.in_several_variants == 20
    assert found.exposures.total == sum(found.counted.values()) == 280


def test_undeclared_variants_other_assignments_and_missing_ids_are_counted(
    warehouse: WarehouseUnderTest,
) -> None:
    when = at(f"{START} 12:00")
    planted = population(200)
    assigned = {row["user_id"]: row["variant"] for row in planted.exposures}
    other = {"control": "newest", "newest": "control"}
    swapped = [exposure(user, other[variant], when) for user, variant in list(assigned.items())[:7]]
    kept = [row for row in planted.exposures if row["user_id"] not in list(assigned)[:7]]
    strange = [exposure(f"s{n}", "purple", when) for n in range(3)]
    nobody = [exposure(f"n{n}", "control", when, user_id=None) for n in range(2)]
    nobody.append(exposure("audience", "control", when, user_id="Unknown"))
    found = analyzed(
        warehouse, Planted([*swapped, *kept, *strange, *nobody], planted.events)
    ).exposures
    assert found.total == 200
    assert found.assigned_otherwise == 7
    assert found.in_unknown_variants == 3
    assert found.without_id == 3


def test_a_sample_ratio_mismatch_stops_the_experiment(warehouse: WarehouseUnderTest) -> None:
    planted = population(1_200, lift=0.3)
    # A service that loses every fourth exposure of the treatment.
    kept = [
        row
        for number, row in enumerate(planted.exposures)
        if row["variant"] == "control" or number % 4
    ]
    found = analyzed(warehouse, Planted(kept, planted.events))
    assert found.recommendation.action is Action.STOP
    assert "sample-ratio mismatch" in found.recommendation.reason


def test_a_harmed_guardrail_keeps_the_control(warehouse: WarehouseUnderTest) -> None:
    found = analyzed(warehouse, population(1_200, lift=0.3, clicks=0.6, treated_clicks=0.4))
    assert found.recommendation.action is Action.KEEP
    assert found.recommendation.variant == "control"
    assert "harms the guardrail click-through rate" in found.recommendation.reason
    assert [row.metric for row in found.newest if row.is_harm] == ["click_through_rate"]


def test_without_a_difference_it_goes_on_until_the_planned_units_and_then_keeps(
    warehouse: WarehouseUnderTest,
) -> None:
    planted = population(600)
    going_on = analyzed(warehouse, planted)
    assert going_on.recommendation.action is Action.CONTINUE
    assert "until 1,000 units are complete (600 are)" in going_on.recommendation.reason
    over = analyzed(warehouse, Planted([], []), changed(planned_units=500))
    assert over.recommendation.action is Action.KEEP
    assert "no difference was found" in over.recommendation.reason
    ended = analyzed(warehouse, Planted([], []), changed(end=date(2026, 1, 12)))
    assert "it ended on 2026-01-12" in ended.recommendation.reason


def test_nothing_at_all_goes_on(warehouse: WarehouseUnderTest) -> None:
    found = analyzed(warehouse, Planted([], []))
    assert (found.as_of, list(found.rows)) == (None, [])
    assert "a fact of its metrics has no rows yet" in found.recommendation.reason


def test_without_exposures_it_says_so(warehouse: WarehouseUnderTest) -> None:
    found = analyzed(warehouse, Planted([], population(5).events))
    assert (found.as_of, list(found.rows)) == (None, [])
    assert str(found.recommendation) == "go on: no unit was exposed yet"


@pytest.mark.parametrize("users", [1, 2, 40])
def test_few_users_decide_nothing(warehouse: WarehouseUnderTest, users: int) -> None:
    found = analyzed(warehouse, population(users, lift=9.0))
    assert found.recommendation.action is Action.CONTINUE
    assert "at least 100 are needed" in found.recommendation.reason


def test_the_day_of_the_newest_event_does_not_count_yet(warehouse: WarehouseUnderTest) -> None:
    planted = population(200)
    events = [
        row
        for row in planted.events
        if row["event_time"] < at(f"{START} 00:00") + timedelta(days=4)
    ]
    found = analyzed(warehouse, Planted(planted.exposures, events))
    assert found.as_of == max(row["event_time"] for row in events).date() - timedelta(days=1)


def test_three_variants_and_a_share_of_units(warehouse: WarehouseUnderTest) -> None:
    three = changed(
        variants=(Variant("control", 2.0), Variant("newest"), Variant("oldest")), share=0.6
    )
    found = analyzed(warehouse, population(2_000, lift=0.4, experiment=three), three)
    units = found.exposures.units
    assert found.exposures.assigned_otherwise == 0
    assert 0.55 < found.exposures.total / 2_000 < 0.65
    assert units["control"] > 1.5 * units["newest"]
    assert found.recommendation.variant == "newest"
    assert {row.variant for row in found.newest} == {"newest", "oldest"}


@pytest.mark.parametrize(
    "goal",
    [
        "likes",
        "weighted_engagement",
        "unique_users",
        "reach",
        "engagement_rate",
        "average_value",
        "videos_watched",
        "average_watch_time",
        "active_users",
        "average_people_engagement",
    ],
)
def test_each_kind_of_metric_has_a_value_of_a_unit(
    warehouse: WarehouseUnderTest, goal: str
) -> None:
    found = analyzed(warehouse, population(150), changed(goals=(goal,), guardrails=()))
    assert found.recommendation.action is Action.CONTINUE


def test_users_are_counted_once(warehouse: WarehouseUnderTest) -> None:
    planted = population(300, lift=0.5)
    found = analyzed(warehouse, planted, changed(goals=("unique_users",), before=timedelta(0)))
    # Everybody was active, so nothing varies and nothing is compared.
    assert [row.metric for row in found.newest] == ["click_through_rate"]
    assert sum(found.counted.values()) == 300


def test_accounts_are_divided_if_the_experiment_says_so(warehouse: WarehouseUnderTest) -> None:
    accounts = changed(unit=Unit.ACCOUNT, guardrails=(Guardrail("comments"),))
    planted = population(300, lift=0.3)
    rows = [{**row, "account_id": row["user_id"], "user_id": None} for row in planted.exposures]
    events = [{**row, "account_id": row["user_id"]} for row in planted.events]
    found = analyzed(warehouse, Planted(rows, events), accounts)
    assert sum(found.counted.values()) == 300
    likes = next(row for row in found.newest if row.metric == "likes")
    assert likes.found.lift is not None and 0.15 < likes.found.lift < 0.45


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_clickhouse_assigns_as_python_does(warehouse: WarehouseUnderTest, share: float) -> None:
    experiment = changed(
        variants=(Variant("control", 3.0), Variant("newest"), Variant("oldest", 2.5)),
        share=share,
        salt="it's \\ salted",
    )
    users = [f"ü{n}" for n in range(3_000)]
    given = warehouse.client.query(
        f"SELECT {variant_sql(experiment, 'unit')} FROM (\n"
        "  SELECT arrayJoin({users:Array(String)}) AS unit)",
        parameters={"users": users},
    ).result_rows
    assert [name or None for (name,) in given] == [variant_of(experiment, user) for user in users]
