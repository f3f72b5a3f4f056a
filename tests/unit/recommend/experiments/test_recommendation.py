"""The rules of what to do, in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from social_assets.recommend.experiments.admission import admission, comparing_model
from social_assets.recommend.experiments.definition import Guardrail, Variant
from social_assets.recommend.experiments.recommendation import (
    Action,
    Compared,
    ExperimentState,
    Recommendation,
    recommend,
)
from social_assets.recommend.experiments.results_tables import Recorded
from social_assets.recommend.experiments.statistics.comparison import (
    EffectInterval,
    VariantComparison,
)
from tests.integration.warehouse.experiments.planted import changed

THREE = changed(
    variants=(Variant("a"), Variant("b", model="ials"), Variant("c", model="ease")),
    goals=("likes",),
    guardrails=(Guardrail("productivity_loss", 0.02),),
)
RUNNING = ExperimentState(date(2026, 1, 20), 900, {"a": 300, "b": 300, "c": 300}, 0.4)


def lift(low: float, high: float) -> VariantComparison:
    middle = (low + high) / 2
    return VariantComparison(
        units=300,
        control_units=300,
        mean=1 + middle,
        control_mean=1.0,
        difference=middle,
        standard_error=0.1,
        one_look=EffectInterval(low, high),
        always=EffectInterval(low, high),
        p_value=0.5,
        sequential_p_value=0.5,
        variance_removed=0.0,
        lift=middle,
        lift_always=EffectInterval(low, high),
    )


NOTHING = lift(-0.1, 0.1)


def found(**of: VariantComparison) -> Compared:
    """Comparisons by letter of the treatment: `b` of the goal, `b_guard` of the guardrail."""
    return {
        ("productivity_loss" if name.endswith("_guard") else "likes", name[0]): each
        for name, each in of.items()
    }


@pytest.mark.parametrize(
    ("state", "compared", "action", "variant"),
    [
        (replace(RUNNING, lacks_facts=True, exposed=0), {}, Action.CONTINUE, ""),
        (replace(RUNNING, exposed=0), {}, Action.CONTINUE, ""),
        (
            replace(RUNNING, sample_ratio_p_value=0.0009),
            found(b=lift(0.1, 0.3)),
            Action.STOP,
            "",
        ),
        (
            replace(RUNNING, counted={"a": 300, "b": 300, "c": 99}),
            found(b=lift(0.1, 0.3)),
            Action.CONTINUE,
            "",
        ),
        (RUNNING, found(b=lift(0.01, 0.3), c=NOTHING), Action.SHIP, "b"),
        (RUNNING, found(b=lift(0.01, 0.3), c=lift(0.2, 0.4)), Action.SHIP, "c"),
        # The better one does harm, so the other one is shipped.
        (
            RUNNING,
            found(b=lift(0.01, 0.3), c=lift(0.2, 0.4), c_guard=lift(0.03, 0.1)),
            Action.SHIP,
            "b",
        ),
        # Harm that is tolerated, or that may be none, is no harm.
        (RUNNING, found(c=lift(0.2, 0.4), c_guard=lift(0.01, 0.1)), Action.SHIP, "c"),
        # A guardrail that falls where a rise is bad.
        (RUNNING, found(c=lift(0.2, 0.4), c_guard=lift(-0.3, -0.1)), Action.SHIP, "c"),
        (RUNNING, found(b=lift(-0.3, -0.1), c=NOTHING), Action.CONTINUE, ""),
        (RUNNING, found(b=lift(-0.3, -0.1), c=lift(-0.2, -0.01)), Action.KEEP, "a"),
        (RUNNING, found(b=NOTHING, c=NOTHING), Action.CONTINUE, ""),
        (RUNNING, {}, Action.CONTINUE, ""),
        (
            replace(RUNNING, counted={"a": 400, "b": 300, "c": 300}),
            found(b=NOTHING, c=NOTHING),
            Action.KEEP,
            "a",
        ),
    ],
)
def test_the_first_rule_that_holds_decides(
    state: ExperimentState, compared: Compared, action: Action, variant: str
) -> None:
    told = recommend(THREE, state, compared)
    assert (told.action, told.variant) == (action, variant)
    assert told.reason


def test_a_fall_is_shipped_where_a_rise_is_bad() -> None:
    experiment = changed(goals=("productivity_loss",), guardrails=())
    state = replace(RUNNING, counted={"control": 300, "newest": 300})
    told = recommend(experiment, state, {("productivity_loss", "newest"): lift(-0.3, -0.1)})
    assert str(told) == "ship newest: productivity loss of newest -20.0% [-30.0%, -10.0%]"


def test_an_experiment_ends_when_the_outcomes_of_its_last_day_are_complete() -> None:
    experiment = changed(end=date(2026, 1, 12))
    counted = {"control": 300, "newest": 300}
    compared = {("likes", "newest"): NOTHING}
    for day, action in ((13, Action.CONTINUE), (14, Action.KEEP)):
        state = replace(RUNNING, as_of=date(2026, 1, day), counted=counted)
        assert recommend(experiment, state, compared).action is action


def recorded(action: Action, variant: str) -> dict[str, Recorded]:
    return {THREE.name: Recorded(date(2026, 1, 20), Recommendation(action, variant, "because"))}


@pytest.mark.parametrize(
    ("action", "variant", "model", "is_admitted"),
    [
        (Action.SHIP, "b", "ials", True),
        (Action.SHIP, "c", "ials", False),
        (Action.KEEP, "a", "ials", False),
        (Action.CONTINUE, "", "ials", False),
        (Action.STOP, "", "ease", False),
    ],
)
def test_a_model_is_admitted_if_its_experiment_ships_it(
    action: Action, variant: str, model: str, is_admitted: bool
) -> None:
    told = admission(THREE, model, recorded(action, variant))
    assert told.passed is is_admitted
    assert "because" in told.reason


def test_an_experiment_that_was_not_analyzed_admits_nothing() -> None:
    told = admission(THREE, "ials", {})
    assert not told.passed
    assert "materialize recsys/experiment_results" in told.reason


def test_the_newest_experiment_with_the_model_as_a_treatment_decides() -> None:
    later = replace(THREE, name="later", start=date(2026, 3, 1))
    assert comparing_model([later, THREE], "ials") is later
    assert comparing_model([later, THREE], "als") is None
    control = replace(THREE, variants=(Variant("a", model="als"), Variant("b", model="ials")))
    assert comparing_model([control], "als") is None
