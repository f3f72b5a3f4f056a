"""A mistake in a user's contract names file, line, stream and remedy, and stops no other stream."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from social_assets.cli.main import main
from social_assets.contracts.registry import EXTRA_CONTRACTS, registered

GOOD = '''
import pandera.ibis as pa
from social_assets.contracts.contract import Contract

class Ad(pa.DataFrameModel):
    """An advertisement."""
    ad_id: str = pa.Field(description="The advertisement")

CONTRACT = Contract(name="ads", model=Ad, key=("ad_id",), formats=("csv",), owner="team:ads")
'''

Streams = Callable[..., tuple[int, str, str]]


@pytest.fixture
def streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Streams]:
    """`social-assets streams` with the contracts of `tmp_path`: exit code, output, errors."""
    monkeypatch.setenv(EXTRA_CONTRACTS, str(tmp_path))
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(tmp_path / "home"))
    registered.cache_clear()

    def run(*named: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ending:
            main(["streams", *named, "--format", "json"])
        return int(ending.value.code or 0), *capfd.readouterr()

    yield run
    registered.cache_clear()


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
            "mine.py, line 9, stream ads: column id: key names it, and Ad has no such",
        ),
        (
            GOOD.replace("owner=", "ownr="),
            "mine.py, line 9, stream ads: TypeError: Contract.__init__() got an unexpected keyword",
        ),
        ("raise SystemExit(3)\n", "mine.py, line 1, stream mine: SystemExit: 3"),
        ("\0", "mine.py, stream mine: "),
    ],
    ids=["syntax", "import", "no contract", "other contract", "key", "field", "exit", "null"],
)
def test_a_mistake_names_file_line_stream_and_remedy(
    text: str, said: str, streams: Streams, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "other.py").write_text(GOOD.replace('"ads"', '"other"'))
    code, out, _ = streams()
    listed = json.loads(out)
    assert code == 0
    assert {"posts", "other"} < {each["stream"] for each in listed if "columns" in each}
    (broken,) = [each for each in listed if "error" in each]

    code, out, error = streams(broken["stream"])
    assert (code, out) == (1, "")
    assert said in error
    assert broken["error"] in error
    assert error.count("\n") == 1
    assert "SOCIAL_ASSETS_CONTRACTS" in error or "correct `key`" in error


@pytest.mark.parametrize("option", ["name", "topic"])
def test_the_later_file_of_a_doubled_name_or_topic_is_not_used(
    option: str, streams: Streams, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(GOOD.replace('"ads"', '"ads", topic="t"'))
    name = "ads" if option == "name" else "others"
    (tmp_path / "b.py").write_text(GOOD.replace('"ads"', f'"{name}", topic="t"'))
    (tmp_path / "c.py").write_text(GOOD.replace('"ads"', '"posts"'))
    code, out, _ = streams()
    assert code == 0
    listed = json.loads(out)
    b, c = [each for each in listed if "error" in each]
    first = f"{tmp_path / 'a.py'}, which is used, and {tmp_path / 'b.py'}"
    value = "ads" if option == "name" else "t"
    assert b["error"] == f"two contracts have the {option} {value}: {first}"
    assert c["error"].startswith("two contracts have the name posts: /")
    assert {"ads", "posts"} < {each["stream"] for each in listed if "columns" in each}


def test_a_contract_with_postponed_annotations_is_read(streams: Streams, tmp_path: Path) -> None:
    later = "from __future__ import annotations\nfrom datetime import datetime\n"
    column = "    at: datetime = pa.Field(description='When')\n\nCONTRACT"
    (tmp_path / "mine.py").write_text(later + GOOD.replace("\nCONTRACT", column))
    code, out, error = streams("ads")
    assert code == 0, error
    assert '"timestamp"' in out


def test_a_mistake_ends_a_process_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")
    shown = subprocess.run(
        [sys.executable, "-m", "social_assets", "streams", "mine", "--format", "json"],
        env={"SOCIAL_ASSETS_CONTRACTS": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (1, "", 1)
    assert "has no CONTRACT" in shown.stderr


def test_a_module_with_an_underscore_is_no_contract(streams: Streams, tmp_path: Path) -> None:
    (tmp_path / "_shared.py").write_text("x = 1\n")
    (tmp_path / "mine.py").write_text(GOOD)
    code, out, error = streams()
    assert code == 0, error
    assert '"ads"' in out
