"""A mistake in a contract of one's own is one line with file, line, stream and remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GOOD = '''
import pandera.ibis as pa
from social_assets.contracts.contract import Contract

class Ad(pa.DataFrameModel):
    """An advertisement."""
    ad_id: str = pa.Field(description="The advertisement")

CONTRACT = Contract(name="ads", model=Ad, key=("ad_id",), formats=("csv",), owner="team:ads")
'''


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ndef broken(:\n", "mine.py, line 2, stream mine: syntax error"),
        (
            f"{GOOD}\nimport no_such_module\n",
            "mine.py, line 11, stream ads: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("x = 1\n", "has no CONTRACT; add `CONTRACT = Contract("),
        ("CONTRACT = 'ads'\n", "has no CONTRACT; add `CONTRACT = Contract("),
        (
            GOOD.replace('key=("ad_id",)', 'key=("id",)'),
            "mine.py, line 9, stream ads: ValueError: contract ads: id not among the columns of Ad",
        ),
        (
            GOOD.replace("owner=", "ownr="),
            "mine.py, line 9, stream ads: TypeError: Contract.__init__() got an unexpected keyword",
        ),
        (GOOD.replace('"ads"', '"posts"'), "two contracts have the name posts"),
        ("\0", "mine.py, stream mine: "),
    ],
    ids=["syntax", "import", "no contract", "other contract", "key", "field", "name", "null"],
)
def test_a_mistake_names_file_line_stream_and_remedy(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text)
    shown = streams(tmp_path)
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert said in shown.stderr
    assert shown.stderr.count("\n") == 1
    assert "SOCIAL_ASSETS_CONTRACTS" in shown.stderr


def test_a_module_with_an_underscore_is_no_contract(tmp_path: Path) -> None:
    (tmp_path / "_shared.py").write_text("x = 1\n")
    (tmp_path / "mine.py").write_text(GOOD)
    shown = streams(tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert '"ads"' in shown.stdout


def streams(folder: Path) -> subprocess.CompletedProcess[str]:
    """`social-assets streams` with the contracts of a folder."""
    return subprocess.run(
        [sys.executable, "-m", "social_assets", "streams", "--format", "json"],
        env={"SOCIAL_ASSETS_CONTRACTS": str(folder), "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
