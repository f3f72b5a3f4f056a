"""An inferred contract loads the file it was inferred from, with nothing rejected."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import load_contract
from social_assets.operate.contracts.infer import infer
from social_assets.operate.contracts.try_file import try_file

FILES = {
    "posts.csv": (
        "Post ID,Created At,Likes,Reach (%),Text\n"
        '007,2026-01-01 10:00:00,3,1.5,"two\nlines"\n008,2026-01-02T10:00:00Z,NA,2,b\n',
        {"post_id": "str", "created_at": "datetime", "likes": "int", "reach": "float"},
        ("post_id",),
        "created_at",
    ),
    "semis.csv": (
        "from;source;1st\nann;web;03/07/2026\nbob;app;04/07/2026\n",
        {"from_value": "str", "source_value": "str", "n_1st": "str"},
        ("record_key",),
        None,
    ),
    "tweets.json": (
        '[{"id_str": "9", "user": {"id": 1, "name": "x"}, "tags": ["a"], "ok": true},'
        ' {"id_str": "10", "user": {"id": 2, "name": null}, "tags": [], "ok": false}]',
        {"id_str": "str", "user_id": "str", "user_name": "str", "tags": "list[str]", "ok": "bool"},
        ("id_str",),
        None,
    ),
    "page.json": (
        '{"data": [{"id": "a", "at": 1538889971}, {"id": "b", "at": 1538889999}], "paging": {}}',
        {"id": "str", "at": "datetime"},
        ("id",),
        "at",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_an_inferred_contract_accepts_its_file(name: str, tmp_path: Path) -> None:
    text, types, key, event_time = FILES[name]
    file = tmp_path / name
    file.write_text(text)
    module = tmp_path / "inferred.py"
    module.write_text(infer([file]))
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    written = module.read_text()
    assert [c for c, kind in types.items() if f"    {c}: {kind} = pa.Field(" not in written] == []
    assert (contract.key, contract.event_time) == (key, event_time)
    trial = try_file(contract, file)
    assert (trial.accepted, trial.rejected, trial.reasons) == (2, 0, ())


def test_lists_of_parquet_are_lists_and_objects_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    rows = [{"id": "a", "tags": ["x"], "more": {"n": 1}}, {"id": "b", "tags": [], "more": None}]
    pq.write_table(pa.Table.from_pylist(rows), file)
    module = tmp_path / "inferred.py"
    module.write_text(infer([file], "things"))
    assert "more" not in module.read_text()
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    assert contract.columns["tags"].type == "strings"
    assert try_file(contract, file).accepted == 2
