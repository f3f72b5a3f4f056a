"""Automation rebuilds changed days once in every layer that contains them, and no other days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from bench.orchestration.automation import Ticks, behind, report
from resources.settings.home import Home
from social_assets.defs.partitions import range_tags

RAW = dg.AssetKey(["raw", "posts"])
CLEANED = dg.AssetKey(["cleaned", "posts"])
SENTIMENT = dg.AssetKey(["text", "sentiment"])
DOCUMENTS = dg.AssetKey(["text", "documents"])
TEXT_MODELS = (dg.AssetKey(["text", "challenger"]), dg.AssetKey(["text", "champion"]))
PERSONS = dg.AssetKey(["star", "dim_person"])
PICTURES = dg.AssetKey(["media", "posts_collected"])
ONLINE = dg.AssetKey(["features", "online"])
COORDINATED = dg.AssetKey(["features", "coordinated_texts"])
"""Is made of cleaned texts, and waits for a quarter of an hour unless these are rebuilt."""
TRAINING_SET = dg.AssetKey(["features", "training_set"])
LATE = [date(2026, 3, 1) + timedelta(days=n) for n in range(30)]
DAYS = {day.isoformat() for day in LATE}
TEXTS = {SENTIMENT: DAYS, DOCUMENTS: DAYS}
"""What nothing but its run makes: it is requested at once, without a pause."""


@pytest.fixture(scope="module")
def defs(home: Home) -> dg.Definitions:
    from social_assets.locations.batch import defs as found

    return found()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


class TicksOfDays(Ticks):
    """Requests without those of the feature store, which has no days and follows all facts."""

    def tick(self, *given: Any, **named: Any) -> dict[dg.AssetKey, set[str]]:
        asked = super().tick(*given, **named)
        return {key: asked[key] for key in asked if key not in {ONLINE, TRAINING_SET}}


@pytest.fixture
def ticks(defs: dg.Definitions, instance: dg.DagsterInstance) -> Ticks:
    """Conditions after their first evaluation, which ignores earlier changes."""
    found = TicksOfDays(defs, instance)
    assert found.tick("first") == {}
    return found


def test_late_days_are_asked_for_once_in_each_layer_behind_them(
    defs: dg.Definitions, instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, RAW, LATE)
    followers = behind(defs.resolve_asset_graph(), RAW)
    assert dg.AssetKey(["star", "dim_post"]) in followers
    assert ticks.tick("late days") == {}
    assert ticks.tick("no more of them") == dict.fromkeys(followers, DAYS)
    assert ticks.tick("while they are made") == {}
    for key in sorted(followers, key=lambda key: key == DOCUMENTS):
        report(instance, key, LATE)
    # Their sources may have changed after they were read.
    assert texts_once_more(instance, ticks) == {}


def texts_once_more(instance: dg.DagsterInstance, ticks: Ticks) -> dict[dg.AssetKey, set[str]]:
    """Make texts, then documents with the scores; returns what is requested after them."""
    for asked in (TEXTS, {DOCUMENTS: DAYS}):
        assert ticks.tick("a source was made").items() >= asked.items()
        for key in asked:
            report(instance, key, LATE)
    return ticks.tick("all are made")


def test_days_that_change_again_meanwhile_are_asked_for_once_more(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, RAW, LATE)
    ticks.tick("late days")
    assert ticks.tick("no more of them") != {}
    report(instance, RAW, LATE[:1])
    assert ticks.tick("one more, not yet made") == {}
    asked = ticks.tick("no more of them")
    assert set(map(frozenset, asked.values())) == {frozenset({LATE[0].isoformat()})}


def test_days_that_somebody_is_at_are_not_asked_for_before_he_ends(
    defs: dg.Definitions, instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, RAW, LATE)
    made = {CLEANED, dg.AssetKey(["quarantine", "posts"])}
    run = instance.create_run_for_job(
        defs.resolve_job_def("rebuild_days").get_subset(asset_selection=made),
        status=dg.DagsterRunStatus.STARTED,
        tags=range_tags(LATE[0], LATE[-1]),
        asset_selection=frozenset(made),
    )
    for look in ("late days", "while they are made", "still"):
        assert ticks.tick(look) == {}
    instance.report_run_failed(run)
    asked = ticks.tick("nobody is at them any more")
    assert asked == dict.fromkeys(behind(defs.resolve_asset_graph(), RAW), DAYS)


def test_facts_that_a_drain_records_a_moment_after_raw_are_not_asked_for(
    defs: dg.Definitions, instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, RAW, LATE)
    report(instance, CLEANED, LATE)
    assert ticks.tick("between two records of a drain") == TEXTS
    # Quarantine is not recorded where nothing was rejected. Documents read the sentiment.
    followers = behind(defs.resolve_asset_graph(), CLEANED)
    for key in sorted(followers, key=lambda key: key == DOCUMENTS):
        report(instance, key, LATE)
    assert ticks.tick("after its last") == {DOCUMENTS: DAYS}
    report(instance, DOCUMENTS, LATE)
    assert ticks.tick("some time later") == {}


def test_texts_of_a_stream_that_never_pauses_are_scored(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    for _ in range(3):
        report(instance, CLEANED, LATE)
        asked = ticks.tick("events keep coming")
        assert asked.items() >= TEXTS.items()
        for key in TEXTS:
            report(instance, key, LATE)


def test_texts_that_come_while_others_are_scored_are_scored_after_them(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, CLEANED, LATE)
    assert ticks.tick("texts") == TEXTS
    report(instance, CLEANED, LATE)
    for key in TEXTS:
        report(instance, key, LATE)
    assert texts_once_more(instance, ticks).keys().isdisjoint(TEXTS)


def test_documents_are_made_after_another_model_has_scored_their_texts(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, SENTIMENT, LATE)
    assert ticks.tick("a backfill of the sentiment") == {DOCUMENTS: DAYS}
    report(instance, DOCUMENTS, LATE)
    assert ticks.tick("some time later") == {}


def test_facts_that_a_drain_never_recorded_are_made_anew(
    defs: dg.Definitions, instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    report(instance, CLEANED, LATE)
    assert ticks.tick("the drain is killed here") == TEXTS
    followers = behind(defs.resolve_asset_graph(), CLEANED) - TEXTS.keys()
    followers.remove(COORDINATED)
    assert ticks.tick("some time later") == dict.fromkeys(followers, DAYS)
    assert ticks.tick("a quarter later", after=timedelta(minutes=15))[COORDINATED] == DAYS


def test_persons_are_made_anew_after_links_of_any_days(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    """They have no days, and depend on the links of all of them."""
    for _ in range(2):
        report(instance, dg.AssetKey(["cleaned", "identity_links"]), LATE)
        assert set(ticks.tick("late links")) == {PERSONS}
        assert ticks.tick("no more of them") == {}
        instance.report_runless_asset_event(dg.AssetMaterialization(PERSONS))
        assert ticks.tick("when they are made") == {}


def test_text_models_are_trained_once_after_labels_of_any_days_and_no_day_is_scored_again(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    for _ in range(2):
        report(instance, dg.AssetKey(["cleaned", "text_labels"]), LATE)
        assert ticks.tick("late labels") == {}
        asked = ticks.tick("a quarter of an hour later", after=timedelta(minutes=15))
        assert set(asked) == set(TEXT_MODELS)
        for key in TEXT_MODELS:
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        assert ticks.tick("when they are trained") == {}
        assert ticks.tick("some time later") == {}


def test_pictures_are_fetched_after_posts_of_any_days(
    instance: dg.DagsterInstance, ticks: Ticks
) -> None:
    for _ in range(2):
        report(instance, dg.AssetKey(["cleaned", "posts_collected"]), LATE)
        assert PICTURES in ticks.tick("late posts")
        assert PICTURES not in ticks.tick("no more of them")
        instance.report_runless_asset_event(dg.AssetMaterialization(PICTURES))
        assert PICTURES not in ticks.tick("when they are fetched")


def test_features_follow_facts_at_once_also_of_a_stream_that_never_pauses(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    ticks = Ticks(defs, instance)
    ticks.tick("first")
    for _ in range(3):
        report(instance, dg.AssetKey(["star", "fact_engagement"]), LATE[:1])
        assert ONLINE in ticks.tick("events keep coming")
        instance.report_runless_asset_event(dg.AssetMaterialization(ONLINE))
    assert ONLINE not in ticks.tick("no more of them")
    assert ONLINE in ticks.tick("when the day is over", after=timedelta(days=1))
