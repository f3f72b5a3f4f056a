"""`social-assets plan` shows each table that a deployment changes, and fails in CI if it shall."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import EXTRA_CONTRACTS, contract, registered
from social_assets.defs.stores import StoresResource
from social_assets.operate.deployment import deploy as deployment
from social_assets.pipeline.contracts.refused_deployment import ContractNotDeployableError
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.e2e.commands.test_command_line import run

CONTRACT = '''
from datetime import datetime
import pandera.ibis as pa
from social_assets.contracts.contract import Contract

class Ad(pa.DataFrameModel):
    """An advertisement."""
    ad_id: str = pa.Field(description="The advertisement")
    clicks: int = pa.Field(description="Clicks")
    shown_at: datetime = pa.Field(description="When it was shown")

CONTRACT = Contract(name="ads", model=Ad, key=("ad_id",), formats=("ndjson",), owner="team:ads",
                    event_time="shown_at", critical=("clicks",))
'''
WITH_A_COLUMN = CONTRACT.replace(
    "    clicks", '    lang: str = pa.Field(nullable=True, description="Language")\n    clicks'
)
WITH_NULL = CONTRACT.replace('(description="Clicks")', '(nullable=True, description="Clicks")')
WITH_NUMBERS = CONTRACT.replace("clicks: int", "clicks: float")

Declare = Callable[[str], None]


@pytest.fixture
def declare(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Declares the contract of the stream `ads`; the first one has three records on two days."""
    del home
    monkeypatch.setenv(EXTRA_CONTRACTS, str(tmp_path))

    def declare(text: str) -> None:
        (tmp_path / "ads.py").write_text(text)
        registered.cache_clear()

    declare(CONTRACT)
    file = tmp_path / "ads.ndjson"
    times = ("2026-01-01", "2026-01-01", "2026-01-02")
    lines = [{"ad_id": f"a{n}", "clicks": n, "shown_at": day} for n, day in enumerate(times)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    assert not ingest_files(stores.of(contract("ads")), [file]).failures
    yield declare
    registered.cache_clear()


def planned(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capfd.readouterr()
    assert run("plan", "--format", "json") == 0
    (found,) = json.loads(capfd.readouterr().out)
    assert found["stream"] == "ads"
    return dict(found)


def test_without_a_change_nothing_is_planned(
    declare: Declare, capfd: pytest.CaptureFixture[str]
) -> None:
    del declare
    assert run("plan", "--fail-on", "any") == 0
    assert "The contracts of all streams are deployed." in capfd.readouterr().out


def test_tables_that_are_altered_in_place_have_no_days(
    declare: Declare, capfd: pytest.CaptureFixture[str]
) -> None:
    declare(WITH_A_COLUMN)
    assert planned(capfd)["tables"] == [
        {"table": name, "deploy": "alters in place", "days": []}
        for name in ("cleaned/ads", "cleaned.ads")
    ]


def test_tables_that_are_made_anew_are_listed_with_their_days(
    declare: Declare, capfd: pytest.CaptureFixture[str]
) -> None:
    declare(WITH_NUMBERS)
    found = planned(capfd)
    assert found["tables"] == [
        {"table": name, "deploy": "makes anew", "days": ["2026-01-01", "2026-01-02"]}
        for name in ("cleaned/ads", "quarantine/ads", "cleaned.ads")
    ]
    assert found["raw_records"] == 3
    assert run("plan", "--fail-on", "rebuild") == 2
    told = capfd.readouterr().out
    assert "2 days are made anew from 3 raw records, 2026-01-01 to 2026-01-02" in told
    assert "--fail-on rebuild: type changed: clicks, integer -> number" in told


@pytest.mark.parametrize(
    ("declared", "fail_on", "code"),
    [
        (WITH_A_COLUMN, "breaking", 0),
        (WITH_A_COLUMN, "rebuild", 0),
        (WITH_A_COLUMN, "any", 2),
        # Queries may get null from now on, though no row is made anew.
        (WITH_NULL, "rebuild", 0),
        (WITH_NULL, "breaking", 2),
    ],
)
def test_a_plan_fails_on_the_changes_that_it_is_told_to(
    declare: Declare, declared: str, fail_on: str, code: int
) -> None:
    declare(declared)
    assert run("plan", "--fail-on", fail_on) == code


def test_a_plan_tells_that_a_changed_event_time_may_be_refused(
    declare: Declare, capfd: pytest.CaptureFixture[str]
) -> None:
    declare(
        CONTRACT.replace("critical=", "future_after=timedelta(1), critical=").replace(
            "import datetime", "import datetime, timedelta"
        )
    )
    assert run("plan", "--fail-on", "breaking") == 2
    told = capfd.readouterr().out
    assert "ads: raw records may belong to other days under it; `deploy` divides raw anew" in told


def test_a_plan_fails_on_a_contract_that_cannot_be_used(
    declare: Declare, capfd: pytest.CaptureFixture[str]
) -> None:
    declare("import no_such_module" + CONTRACT)
    assert run("plan", "--format", "json") == 1
    told = capfd.readouterr()
    assert json.loads(told.out) == []
    assert "ads.py, line 1, stream ads: ModuleNotFoundError" in told.err


def test_a_deployment_that_one_stream_refuses_deploys_the_others(
    declare: Declare, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(WITH_A_COLUMN)
    refused = contract("ads")

    def refuse(stream: StreamStores) -> None:
        raise ContractNotDeployableError(f"{stream.name}: refused")

    with monkeypatch.context() as patched:
        patched.setattr(deployment, "deploy_contract", refuse)
        patched.setattr(deployment, "deploy_in_force", lambda _: "nothing to do")
        patched.setattr(deployment, "finish_warehouse", lambda *_: {})
        done = deployment.deploy(home, lambda _: None)
    assert done.failures == (f"{refused.name}: refused",)
    assert done.warehouse == "nothing to do"
