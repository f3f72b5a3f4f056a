"""`metrics` and `query` without a warehouse: the list, and wrong questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from social_assets.cli.main import cli
from social_assets.metrics.registry import metrics


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


def asked(tmp_path: Path, *arguments: str) -> Result:
    """A question to a home that has an installation, but whose server is never needed."""
    (tmp_path / "lake").mkdir()
    return run(tmp_path, "query", *arguments)


def test_the_list_names_every_metric_with_its_unit_formula_and_additivity(tmp_path: Path) -> None:
    listed = {
        each["name"]: each
        for each in json.loads(run(tmp_path, "metrics", "--format", "json").output)
    }
    assert list(listed) == [each.name for each in metrics()]
    reach = listed["reach"]
    assert (reach["unit"], reach["additivity"]) == ("users", "from_states")
    assert reach["formula"] == "distinct users where metric_type is reach or impression or view"
    assert reach["grains"] == ["hour", "day", "week", "month", "total"]
    assert "account" in reach["dimensions"]
    assert listed["reported_reach"]["grains"] == ["day"]


def test_the_table_has_a_line_for_every_metric_below_its_subject(tmp_path: Path) -> None:
    lines = run(tmp_path, "metrics").output.splitlines()
    at = {line.split(" ")[0]: number for number, line in enumerate(lines) if line}
    assert {each.name for each in metrics()} <= set(at)
    assert at["engagement:"] < at["likes"] < at["live:"] < at["live_users"]


def test_one_metric_is_explained(tmp_path: Path) -> None:
    said = run(tmp_path, "metrics", "engagement_rate").output
    assert "Meta, Insights" in said
    assert "(sum of value where metric_type is like or comment or share or click) / " in said


def test_a_metric_that_is_unknown_names_similar_ones(tmp_path: Path) -> None:
    result = run(tmp_path, "metrics", "reech")
    assert result.exit_code == 2
    assert "METRIC: no metric is named 'reech'; did you mean reach" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("like",), "METRICS: no metric is named 'like'; did you mean likes"),
        (("",), "METRICS: names no metric; `social-assets metrics` lists all"),
        (("likes", "--by", "device"), "--by: metrics of engagement are not known by 'device'"),
        (("likes", "--where", "device=3"), "--where: metrics of engagement are not known by"),
        (("likes", "--where", "platform"), "--where: 'platform' names no value; write DIMENSION"),
        (("likes", "--where", "platform="), "names no value; leave the filter out for all"),
        (("likes", "--from", "yesterday"), "--from: 'yesterday' is no date or time"),
        (("likes", "--to", "2026-01-01"), "--from: is missing"),
        (("likes", "--from", "2026-02-01", "--to", "2026-01-01"), "is not before the end"),
        (("likes", "--range", "last_week"), "--range: 'last_week' is no range; write one of today"),
        (("likes", "--range", "today", "--to", "2026-01-01"), "--range: can't be combined"),
        (("likes", "--grain", "minute"), "--grain: 'minute' is not kept; ask for one of hour"),
        (("likes", "--zone", "Mars"), "--zone: 'Mars' is no time zone; write one such as Europe"),
        (("likes", "--compare", "week"), "--compare: 'week' is no comparison; write previous or"),
        (("likes", "--order-by", "views"), "--order-by: views is not among the metrics asked"),
        (("likes", "--limit", "0"), "--limit: must be 1 to 10,000, not 0"),
        (("reported_reach",), "METRICS: reported_reach is the platform's figure of a post on a"),
    ],
)
def test_a_wrong_question_names_the_option_the_problem_and_the_remedy(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = asked(tmp_path, *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.output
