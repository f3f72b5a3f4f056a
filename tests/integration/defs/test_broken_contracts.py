"""A contract that cannot be used is a failed check and an alert; the other streams work on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from social_assets.cli.main import main
from social_assets.contracts.registry import registered

LOAD = """
import json
from dagster import DagsterInstance
from social_assets.locations import batch, streaming

light = streaming.defs().get_repository_def()
batch_definitions = batch.defs()
repository = batch_definitions.get_repository_def()
keys = repository.asset_graph.asset_check_keys
from social_assets.alerts.kinds.broken_contracts import observe_contracts

with DagsterInstance.ephemeral() as instance:
    job = batch_definitions.resolve_job_def("check_contracts")
    result = job.execute_in_process(instance=instance)
    evaluations = result.get_asset_check_evaluations()
print(json.dumps({
    "drains": [name for name in light.job_names if name.startswith("drain_")],
    "checks": [k.asset_key.to_user_string() for k in keys if k.name == "contract_can_be_used"],
    "results": [[e.asset_key.to_user_string(), e.passed, e.description] for e in evaluations],
    "sensors": repository.sensor_names if hasattr(repository, "sensor_names")
        else [each.name for each in repository.sensor_defs],
    "alerts": [[a.key, a.severity, a.title, a.remedy] for a in observe_contracts().active],
}))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a process with two broken contracts."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "ads.py").write_text("import no_such_module\n")
    (folder / "more posts.py").write_text(
        (Path(__file__).parents[3] / "social_assets/contracts/posts.py").read_text()
    )
    return {
        **os.environ,
        "SOCIAL_ASSETS_CONTRACTS": str(folder),
        "SOCIAL_ASSETS_HOME": str(tmp_path / "home"),
        "DAGSTER_HOME": "",
    }


def test_both_locations_load_and_show_what_is_broken(environment: dict[str, str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout.splitlines()[-1])
    assert {"drain_posts", "drain_engagement_events"} < set(found["drains"])
    assert sorted(found["checks"]) == ["contracts/ads", "contracts/posts"]
    (ads, is_ads_passed, why), (posts, is_posts_passed, _) = sorted(found["results"])
    assert (ads, posts, is_ads_passed, is_posts_passed) == (
        *("contracts/ads", "contracts/posts"),
        *(False, False),
    )
    assert "ads.py, line 1, stream ads: ModuleNotFoundError" in why
    assert "broken_contracts" in found["sensors"]
    assert [(key, severity) for key, severity, _, _ in found["alerts"]] == [
        ("contract/ads.py", "ERROR"),
        ("contract/more posts.py", "ERROR"),
    ]
    assert all("correct" in remedy or "give" in remedy for *_, remedy in found["alerts"])


@pytest.mark.parametrize(
    "command",
    [
        ["load", "ads", "x.csv"],
        ["quarantine", "ads"],
        ["gaps", "ads"],
        ["replay", "ads"],
        ["streams", "ads"],
        ["backfill", "raw/ads"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_names_the_stream_fails_with_the_reason(
    command: list[str],
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n")
    (tmp_path / "home" / "landing").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("SOCIAL_ASSETS_CONTRACTS", "SOCIAL_ASSETS_HOME"):
        monkeypatch.setenv(name, environment[name])
    registered.cache_clear()
    try:
        with pytest.raises(SystemExit) as ending:
            main(command)
    finally:
        registered.cache_clear()
    assert ending.value.code == 1
    assert "ads.py, line 1, stream ads: ModuleNotFoundError" in capfd.readouterr().err
