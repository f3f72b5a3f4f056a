"""`contract test` shows what a load would do with a file, and loads nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from social_assets.cli.main import main

CONTRACT = '''
from datetime import datetime
import pandera.ibis as pa
from social_assets.contracts.contract import Contract

class Ad(pa.DataFrameModel):
    """An advertisement."""
    ad_id: str = pa.Field(description="The advertisement")
    clicks: int = pa.Field(ge=0, description="Clicks")
    at: datetime = pa.Field(description="When")

CONTRACT = Contract(
    name="ads", model=Ad, key=("ad_id",), event_time="at", formats=("csv",), owner="team:ads"
)
'''


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A contract's file, with the home beside it."""
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(tmp_path / "home"))
    (tmp_path / "ads.py").write_text(CONTRACT)
    return tmp_path / "ads.py"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["contract", "test", *arguments])
    return int(ending.value.code or 0)


def test_a_trial_counts_and_explains_and_writes_nothing(
    tried: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(
        "ad id;clicks;at\na;3;2026-01-01 10:00:00\nb;many;2026-01-01\na;4;2026-01-01 11:00:00\n"
    )
    assert run(str(file), "--contract", str(tried), "--format", "json") == 2
    trial = json.loads(capfd.readouterr().out)
    counts = {n: trial[n] for n in ("records", "accepted", "duplicates", "rejected", "is_whole")}
    assert counts == {
        "records": 3,
        "accepted": 1,
        "duplicates": 1,
        "rejected": 1,
        "is_whole": True,
    }
    (reason,) = trial["reasons"]
    assert (reason["rule"], reason["example"], reason["row"]) == ("clicks_not_integer", "many", 3)
    assert trial["notes"] == ["delimiter semicolon"]
    clicks = next(each for each in trial["columns"] if each["column"] == "clicks")
    assert (clicks["type"], clicks["values"]) == ("integer", [3, 4])
    assert not (tmp_path / "home").exists()


def test_only_the_first_hundred_records_are_tried(
    tried: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    lines = [f"{i},{i},2026-01-01" for i in range(1000)]
    file.write_text("\n".join(["ad_id,clicks,at", *lines, ""]))
    assert run(str(file), "--contract", str(tried)) == 0
    out = capfd.readouterr().out
    assert "the first 100 records of x.csv, as ads:" in out
    assert "100 accepted, 0 duplicates, 0 rejected" in out
    assert "Nothing was loaded." in out


def test_the_stream_is_found_if_one_alone_accepts_the_file(
    tried: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("ad_id,clicks,at\na,1,2026-01-01\n")
    assert run(str(file)) == 1
    assert "no stream accepts a record of" in capfd.readouterr().err
    tried.write_text("import no_such_module\n")
    assert run(str(file), "--contract", str(tried)) == 1
    assert "ads.py, line 1, stream ads: ModuleNotFoundError" in capfd.readouterr().err
