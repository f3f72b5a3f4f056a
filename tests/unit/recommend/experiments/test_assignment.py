"""Assignment: stable, uniform, independent of other experiments, and kept as the share grows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from social_assets.recommend.experiments.assignment import place, variant_of
from social_assets.recommend.experiments.definition import Variant
from tests.integration.warehouse.experiments.planted import EXPERIMENT, changed

USERS = [f"user-{n}" for n in range(20_000)]


def test_the_variants_of_some_units_never_change() -> None:
    """These stand for all releases: another result would divide running experiments anew."""
    given = [variant_of(EXPERIMENT, f"u{n}") == "newest" for n in range(8)]
    assert given == [True, False, True, False, True, False, True, True]
    assert place("feed_order", "u0") == 12429683727684114396


@given(st.text(), st.text())
def test_a_place_is_a_number_of_64_bits_that_repeats(salt: str, unit: str) -> None:
    assert 0 <= place(salt, unit) < 1 << 64
    assert place(salt, unit) == place(salt, unit)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (9.0, 1.0), (1.0, 2.0, 3.0)])
def test_variants_have_the_parts_of_their_weights(weights: tuple[float, ...]) -> None:
    variants = tuple(Variant(f"v{n}", weight) for n, weight in enumerate(weights))
    counts = Counter(variant_of(changed(variants=variants), user) for user in USERS)
    expected = [len(USERS) * weight / sum(weights) for weight in weights]
    assert chisquare([counts[each.name] for each in variants], expected).pvalue > 0.001


def test_places_are_uniform() -> None:
    tenths = Counter(place("salt", user) * 10 >> 64 for user in USERS)
    assert set(tenths) == set(range(10))
    assert chisquare(list(tenths.values())).pvalue > 0.001


def test_two_experiments_divide_units_independently() -> None:
    other = replace(EXPERIMENT, name="other")
    pairs = Counter((variant_of(EXPERIMENT, user), variant_of(other, user)) for user in USERS)
    assert len(pairs) == 4
    assert chisquare(list(pairs.values())).pvalue > 0.001


def test_another_salt_divides_units_anew_and_another_name_with_the_salt_does_not() -> None:
    salted = changed(salt="second")
    same = changed(name="renamed", salt=EXPERIMENT.name)
    assert any(variant_of(salted, u) != variant_of(EXPERIMENT, u) for u in USERS[:50])
    assert all(variant_of(same, u) == variant_of(EXPERIMENT, u) for u in USERS[:500])


def test_a_larger_share_keeps_the_variants_of_those_who_take_part() -> None:
    few, more = changed(share=0.1), changed(share=0.4)
    assigned = {user: variant_of(few, user) for user in USERS}
    taking_part = {user: variant for user, variant in assigned.items() if variant}
    assert 0.09 < len(taking_part) / len(USERS) < 0.11
    assert all(variant_of(more, user) == variant for user, variant in taking_part.items())
    counts = Counter(taking_part.values())
    assert chisquare(list(counts.values())).pvalue > 0.001
