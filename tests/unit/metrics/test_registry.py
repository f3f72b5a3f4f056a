"""The registry: a declaration is enough, and a wrong one is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from social_assets.cli.main import cli
from social_assets.metrics import registry
from social_assets.metrics.formula import Atom, Total, only
from social_assets.metrics.metric import Metric, Native
from social_assets.metrics.registry import (
    MetricDeclarationError,
    UnknownMetricError,
    metric,
    metrics,
    metrics_from,
    subject_of,
    subjects,
)
from social_assets.metrics.subjects import live

MODULE = """
from dataclasses import replace
from social_assets.metrics.formula import Total
from social_assets.metrics.metric import Metric
from social_assets.metrics.subjects import live

SUBJECT = replace(
    live.SUBJECT,
    name="sales",
    metrics=(Metric("{name}", "Sold tickets", "Tickets that were sold", "tickets", {formula}),),
)
"""

Declare = Callable[..., None]


def forget() -> None:
    for cached in (registry.subjects, registry.metrics):
        cached.cache_clear()
    sys.modules.pop("social_assets.metrics.subjects.sales", None)


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Adds a module to `subjects`."""

    def made(name: str = "tickets", formula: str = 'Total("interactions")') -> None:
        (tmp_path / "sales.py").write_text(MODULE.format(name=name, formula=formula))
        package = registry.package
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        forget()

    yield made
    monkeypatch.undo()
    forget()


def test_a_metric_that_a_module_declares_is_known_everywhere(
    declare: Declare, tmp_path: Path
) -> None:
    declare()
    assert metric("tickets").unit == "tickets"
    assert subject_of("tickets").name == "sales"
    assert "tickets" in [each.name for each in metrics()]
    listed = CliRunner().invoke(cli, ["--home", str(tmp_path), "metrics", "--format", "json"])
    (found,) = [each for each in json.loads(listed.output) if each["name"] == "tickets"]
    assert found["formula"] == "sum of interactions"


@pytest.mark.parametrize(
    ("name", "formula", "said"),
    [
        ("likes", 'Total("interactions")', "two metrics are named likes; rename one"),
        ("sold", 'Total("tickets_sum")', "metric sold: subject sales has no measure tickets_sum"),
        (
            "sold",
            'Total("interactions", (("hall", ("a",)),))',
            "metric sold: subject sales has no dimension hall",
        ),
    ],
)
def test_a_wrong_declaration_is_named(declare: Declare, name: str, formula: str, said: str) -> None:
    declare(name, formula)
    with pytest.raises(MetricDeclarationError, match=said):
        subjects()


def test_a_rollup_with_a_dimension_or_measure_that_the_subject_lacks_is_named() -> None:
    (rollup,) = live.SUBJECT.rollups
    for changed, said in (
        (replace(rollup, dimensions=("hall",)), "has no dimension hall"),
        (replace(rollup, measures=("tickets",)), "has no measure tickets"),
        (replace(rollup, columns_of=((Atom("tickets"), "sold"),)), "has no measure tickets"),
    ):
        with pytest.raises(MetricDeclarationError, match=f"{rollup.table}: .*{said}"):
            registry._check(replace(live.SUBJECT, rollups=(changed,)))


def test_the_native_figure_of_a_metric_is_a_metric(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare()
    lost = Metric("a", "A", "A metric", "a", Total("interactions"), native=Native("b", "why"))
    monkeypatch.setattr(live, "SUBJECT", replace(live.SUBJECT, metrics=(lost,)))
    forget()
    with pytest.raises(MetricDeclarationError, match="metric a: its native figure b is no metric"):
        subjects()


def test_an_unknown_metric_names_similar_ones() -> None:
    with pytest.raises(UnknownMetricError, match="did you mean likes or new_likes"):
        metric("like")
    with pytest.raises(UnknownMetricError, match=r"no metric is named 'zzzz'$"):
        subject_of("zzzz")


def test_a_restriction_is_the_same_in_any_order() -> None:
    assert only(b=("1",), a=("2",)) == only(a=("2",), b=("1",)) == (("a", ("2",)), ("b", ("1",)))


def test_a_rollup_names_the_metrics_that_it_answers() -> None:
    def names(table: str) -> set[str]:
        return {each.name for each in metrics_from(table)}

    assert names("rollups.live_streaming_device_daily") == {m.name for m in live.SUBJECT.metrics}
    assert "reported_reach" in names("rollups.engagement_daily")
    assert names("rollups.engagement_platform_daily") == (
        names("rollups.engagement_daily") - {"reported_reach"}
    )
    assert names("rollups.engagement_users_daily") == {
        "events", "unique_users", "reach", "engagement", "engagement_rate", "share_of_voice",
    }  # fmt: skip
    assert names("rollups.demographics") == set()
