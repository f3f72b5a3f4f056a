"""What a declaration must say, and where declarations are found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.settings.variables import EXPERIMENTS
from social_assets.metrics.registry import metrics
from social_assets.recommend.experiments.definition import (
    ExperimentError,
    Guardrail,
    Unit,
    Variant,
    parts_of,
)
from social_assets.recommend.experiments.registry import experiment, experiments
from tests.integration.warehouse.experiments.planted import EXPERIMENT, changed

DECLARED = """
from datetime import date
from social_assets.recommend.experiments.definition import Experiment, Variant

EXPERIMENT = Experiment(
    name="{name}",
    title="A",
    hypothesis="B",
    variants=(Variant("control"), Variant("other")),
    goals=("likes",),
    start=date(2026, 1, 1),
    planned_units=100,
)
"""


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "Feed order"}, "name 'Feed order' is not of small letters"),
        ({"variants": (Variant("control"),)}, "at least one other variant"),
        ({"variants": (Variant("a"), Variant("a"))}, "two variants have one name"),
        ({"variants": (Variant("a"), Variant("b'"))}, "is not of small letters"),
        ({"variants": (Variant("a"), Variant("b", 0.0))}, "a number above 0"),
        ({"variants": (Variant("a"), Variant("b", float("nan")))}, "a number above 0"),
        ({"goals": ()}, "names no goal"),
        ({"goals": ("likes", "likes")}, "named twice"),
        ({"goals": ("lickes",)}, "did you mean likes"),
        ({"goals": ("median_value",)}, "has no value of one user"),
        ({"goals": ("share_of_voice",)}, "has no value of one user"),
        ({"goals": ("followers",)}, "has no value of one user"),
        ({"goals": ("texts",)}, "does not know its user_key"),
        ({"unit": Unit.ACCOUNT, "goals": ("watch_time",)}, "does not know its account_key"),
        ({"unit": Unit.ACCOUNT, "goals": ("reach",)}, "of whom accounts share some"),
        ({"guardrails": (Guardrail("clicks", 1.0),)}, "from 0 to below 1"),
        ({"share": 0.0}, "its share lies above 0"),
        ({"alpha": 0.5}, "alpha lies between"),
        ({"planned_units": 0}, "a number of planned units"),
        ({"end": date(2025, 1, 1)}, "before its start"),
        ({"window": timedelta(0)}, "longer than zero"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(values: dict[str, object], told: str) -> None:
    with pytest.raises(ExperimentError, match="experiment ") as raised:
        changed(**values)
    assert told in str(raised.value)


def test_sums_counts_of_users_and_ratios_of_those_have_a_value_of_a_unit() -> None:
    usable = {each.name for each in metrics() if parts_of(each.formula) is not None}
    assert {"likes", "reach", "engagement_rate", "average_watch_time", "active_users"} <= usable
    assert usable.isdisjoint({"median_value", "share_of_voice", "followers", "reported_reach"})


def test_the_planned_units_of_a_comparison_are_those_of_its_two_variants() -> None:
    three = changed(variants=(Variant("a", 2.0), Variant("b"), Variant("c")), planned_units=400)
    assert three.planned_for(three.treatments[0]) == 300
    assert EXPERIMENT.planned_for(EXPERIMENT.treatments[0]) == EXPERIMENT.planned_units


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(EXPERIMENTS, str(tmp_path))
    experiments.cache_clear()
    yield tmp_path
    experiments.cache_clear()


def test_experiments_of_ones_own_are_found_in_a_folder(folder: Path) -> None:
    (folder / "second.py").write_text(DECLARED.format(name="second"))
    (folder / "first.py").write_text(DECLARED.format(name="first"))
    (folder / "_shared.py").write_text("raise RuntimeError")
    assert [each.name for each in experiments()] == ["first", "second"]
    assert experiment("first").title == "A"
    with pytest.raises(ExperimentError, match="the experiments are first, second"):
        experiment("third")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 +", "can't be imported"),
        ("raise SystemExit(1)", "can't be imported"),
        ("EXPERIMENT = 3", "has no EXPERIMENT"),
        (DECLARED.format(name="A b"), "is not of small letters"),
    ],
)
def test_a_file_that_declares_nothing_is_named(folder: Path, text: str, told: str) -> None:
    (folder / "mine.py").write_text(text)
    with pytest.raises(ExperimentError, match=told) as raised:
        experiments()
    assert "mine.py" in str(raised.value)


def test_two_experiments_of_one_name_are_refused(folder: Path) -> None:
    for file in ("a.py", "b.py"):
        (folder / file).write_text(DECLARED.format(name="same"))
    with pytest.raises(ExperimentError, match="two experiments are named same"):
        experiments()


def test_a_folder_that_is_not_there_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EXPERIMENTS, str(folder / "nowhere"))
    with pytest.raises(ExperimentError, match="is not a folder"):
        experiments()
