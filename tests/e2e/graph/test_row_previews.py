"""Asset pages show the newest rows, and the code of `notebook` runs, after one small load."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from dagster import AssetKey

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.main import main
from social_assets.defs.warehouse.row_previews import newest_rows
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.start import load_files, rebuild_days
from social_assets.warehouse.dbt.tables import Warehouse
from tests.e2e.commands.test_command_line import LIKE

DAY = date(2026, 11, 1)
ASSETS = ("cleaned/engagement_events", "star/fact_engagement", "rollups/engagement_hourly")


@pytest.fixture(scope="module")
def loaded(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with seven records."""
    file = tmp_path_factory.mktemp("in") / "events.ndjson"
    file.write_text("".join(LIKE.format(id=f"e{n}", value=n) for n in range(7)))
    load_files(home, "engagement_events", [file], None, print)
    return home


def shown(home: Home, asset: str) -> list[dict[str, object]]:
    """The newest rows on the page of an asset."""
    with open_instance(home) as instance:
        event = instance.get_latest_materialization_event(AssetKey.from_user_string(asset))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata["newest_rows"]
    return [dict(record.data) for record in metadata.records]


def test_a_load_shows_the_newest_rows_of_cleaned_facts_and_rollups(loaded: Home) -> None:
    found = {asset: shown(loaded, asset) for asset in ASSETS}
    assert {len(rows) for rows in found.values()} <= {1, 5}
    assert len(found["star/fact_engagement"]) == 5
    assert found["cleaned/engagement_events"][0]["post_id"] == "p1"
    json.dumps(found, allow_nan=False)


def test_a_table_that_waits_for_its_deployment_is_shown_without_what_it_lacks(
    loaded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(loaded.path))
    tables = {each.name: each for each in Warehouse.of(loaded).tables("star")}
    table = tables["fact_engagement"]
    later = replace(table, columns={**table.columns, "column_of_a_later_version": "String"})
    with ClickHouseResource().client() as client:
        found = newest_rows(client, later, DAY)["newest_rows"]
        assert set(found.records[0].data) == set(table.columns)
        missing = replace(later, name="table_of_a_later_version")
        assert newest_rows(client, missing, DAY) == {}


@pytest.mark.endurance
def test_a_rebuild_shows_them_too(loaded: Home) -> None:
    rebuild_days(loaded, DAY, DAY, ASSETS, print)
    assert len(shown(loaded, "star/fact_engagement")) == 5
    (rollup,) = shown(loaded, "rollups/engagement_hourly")
    for name, value in rollup.items():
        assert not str(value).startswith("b'"), name


def test_the_printed_notebook_code_runs_and_holds_no_password(
    loaded: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--home", str(loaded.path), "notebook"])
    assert ending.value.code == 0
    code = capsys.readouterr().out
    password_file = loaded.clickhouse / "password"
    assert str(password_file) in code
    assert password_file.read_text().strip() not in code
    file = tmp_path / "look.py"
    file.write_text(
        f"{code}\nprint(len(frame), days.n.sum(), 'fact_engagement' in set(tables.name))"
    )
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == "7 7 True\n", done.stderr
