"""Formulas: what they need, their SQL, their words, and whether values may be summed."""

from __future__ import annotations

import pytest

from social_assets.metrics.formula import (
    Additivity,
    AsReported,
    Atom,
    Distinct,
    Formula,
    Growth,
    Level,
    Quantile,
    Ratio,
    Share,
    Total,
    Weighted,
    only,
)
from social_assets.metrics.grain import ANSWERED, Grain

LIKES = Total("value_sum", only(metric_type=("like",)))
VIEWS = Total("value_sum", only(metric_type=("view", "impression")))
USERS = Distinct("users")


def column(atom: Atom) -> str:
    values = "".join(value for _, values in atom.only for value in values)
    return f"{atom.measure}_{values}" if values else atom.measure


@pytest.mark.parametrize(
    ("formula", "sql", "words"),
    [
        (LIKES, "value_sum_like", "sum of value where metric_type is like"),
        (USERS, "users", "distinct users"),
        (
            Weighted(((1.0, LIKES), (0.5, VIEWS))),
            "(value_sum_like + 0.5 * value_sum_viewimpression)",
            "sum of value where metric_type is like + "
            "0.5 x sum of value where metric_type is view or impression",
        ),
        (
            Ratio(LIKES, USERS),
            "value_sum_like / nullIf(users, 0)",
            "(sum of value where metric_type is like) / (distinct users)",
        ),
        (
            Quantile("minutes_quantiles", 0.9),
            "if(isNaN(minutes_quantiles[2]), NULL, minutes_quantiles[2])",
            "90% quantile of minutes",
        ),
        (
            Share(LIKES),
            "value_sum_like / nullIf(sum(value_sum_like) OVER (PARTITION BY bucket), 0)",
            "(sum of value where metric_type is like) / (the same over all groups of the answer)",
        ),
        (
            Growth(Total("gained_sum"), Level("followers")),
            "gained_sum / nullIf(followers - gained_sum, 0)",
            "(sum of gained) / (newest followers of each account, summed over accounts, "
            "less sum of gained)",
        ),
        (
            AsReported(LIKES, by=("post", "account")),
            "value_sum_like",
            "sum of value where metric_type is like, only by post and account and by day",
        ),
    ],
)
def test_a_formula_has_sql_and_words(formula: Formula, sql: str, words: str) -> None:
    assert formula.sql(column) == sql
    assert formula.in_words() == words


def test_a_formula_needs_the_atoms_of_all_its_parts() -> None:
    assert set(Ratio(Weighted(((1.0, LIKES), (2.0, VIEWS))), USERS).atoms()) == {
        *LIKES.atoms(),
        *VIEWS.atoms(),
        *USERS.atoms(),
    }
    assert set(Share(LIKES).atoms()) == set(AsReported(LIKES).atoms()) == set(LIKES.atoms())


@pytest.mark.parametrize(
    ("formula", "additivity", "of_nothing", "grains"),
    [
        (LIKES, Additivity.ADDITIVE, 0, ANSWERED),
        (Weighted(((1.0, LIKES),)), Additivity.ADDITIVE, 0, ANSWERED),
        (USERS, Additivity.FROM_STATES, 0, ANSWERED),
        (Quantile("q", 0.5), Additivity.FROM_STATES, None, ANSWERED),
        (Ratio(LIKES, VIEWS), Additivity.RATIO, None, ANSWERED),
        (Share(LIKES), Additivity.RATIO, None, ANSWERED),
        (Level("followers"), Additivity.LEVEL, None, ANSWERED[1:]),
        (Growth(LIKES, Level("followers")), Additivity.RATIO, None, ANSWERED[1:]),
        (AsReported(LIKES), Additivity.AS_REPORTED, None, (Grain.DAY,)),
    ],
)
def test_additivity_and_grains_belong_to_the_formula(
    formula: Formula, additivity: Additivity, of_nothing: int | None, grains: tuple[Grain, ...]
) -> None:
    assert formula.additivity is additivity
    assert formula.of_nothing == of_nothing
    assert formula.grains == grains


def test_a_quantile_that_no_state_keeps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"keep the quantiles \(0.5, 0.9, 0.99\), not 0.75"):
        Quantile("minutes_quantiles", 0.75)
