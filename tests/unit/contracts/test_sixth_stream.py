"""A sixth stream is one file of under 60 lines, without changes elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONTRACT = '''"""How often an advertisement was clicked: a row an advertisement and day."""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import PLATFORM


class AdImpression(pa.DataFrameModel):
    """One advertisement's account of one moment."""

    ad_id: str = pa.Field(description="The advertisement")
    shown_at: datetime = pa.Field(description="When it was shown, UTC")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where")
    text: str = pa.Field(description="What it said")
    clicks: int = pa.Field(ge=0, description="Clicks")


CONTRACT = Contract(
    name="ad_impressions",
    model=AdImpression,
    key=("ad_id",),
    event_time="shown_at",
    formats=("ndjson", "csv"),
    owner="team:ads",
)
'''

LOAD = """
import sys
from pathlib import Path
from social_assets.contracts.registry import contract
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.stream_work import land_files
from social_assets.pipeline.stores import Stores
from social_assets.lake.lake import Lake

folder = Path(sys.argv[1])
stores = Stores(Lake(str(folder / "lake"), folder / "locks"), DuckDBEngine(folder / "spill"), None)
stream = stores.of(contract("ad_impressions"))
assert not land_files(stream, [folder / "ads.csv"]).failures
rebuild_days(stream, list(stream.raw.rows_by_day()))
columns = ["ad_id", "event_date", "platform", "text", "clicks"]
print(stream.cleaned.read().select(columns).to_pylist())
print(stream.quarantine.read()["reasons"].to_pylist())
"""


def test_a_sixth_stream_from_one_file_goes_from_raw_to_cleaned(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "ad_impressions.py").write_text(CONTRACT)
    (tmp_path / "ads.csv").write_text(
        "Ad ID,Shown At,Platform,Text,Clicks\na,2026-01-01 10:00:00,ig,Buy,3\nb,2026-01-01,x,,-1\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)],
        env={**os.environ, "SOCIAL_ASSETS_CONTRACTS": str(contracts)},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.splitlines() == [
        "[{'ad_id': 'a', 'event_date': datetime.date(2026, 1, 1), 'platform': 'Instagram', "
        "'text': 'Buy', 'clicks': 3}]",
        "[['clicks_greater_than_or_equal_to']]",
    ]
    assert len(CONTRACT.splitlines()) < 60
