"""`social-assets forecast`: from a file of events to what is expected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.forecasts.engagement import forecast_engagement
from social_assets.forecasts.tables import write_forecasts
from tests.e2e.commands.test_command_line import run

LAST = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAYS = 10


def likes(file: Path) -> str:
    """Five likes on each of ten days, then one that makes these days complete."""
    days = [*((LAST - timedelta(days=n), 5) for n in range(DAYS, 0, -1)), (LAST, 1)]
    lines = [
        json.dumps(
            {
                "event_id": f"e{at:%d}",
                "event_time": at.isoformat(),
                "platform": "x",
                "account_id": "007",
                "post_id": "p1",
                "user_id": "u1",
                "metric_type": "like",
                "value": value,
            }
        )
        for at, value in days
    ]
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def test_expected_engagement_is_printed_or_what_is_lacking(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("load", "engagement_events", likes(tmp_path / "likes.ndjson")) == 0
    capsys.readouterr()
    assert run("forecast") == 0
    assert "materialize forecasts/engagement" in capsys.readouterr().err

    with ClickHouseResource().client() as client:
        write_forecasts(client, forecast_engagement(client), "test", datetime.now(UTC))
    assert run("forecast", "--platform", "X", "--account", "007", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 28
    assert found[0]["time"] == "2026-06-10 00:00"
    assert (found[0]["actual"], found[0]["forecast"]) == (None, 5.0)
    assert found[0]["lower_95"] < 5 < found[0]["upper_95"]

    assert run("forecast", "--platform", "X", "--account", "8") == 0
    assert "no forecast: " in capsys.readouterr().err


def test_an_account_without_its_platform_is_refused(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("forecast", "--account", "007") == 2
    assert "--account needs --platform" in capsys.readouterr().err
