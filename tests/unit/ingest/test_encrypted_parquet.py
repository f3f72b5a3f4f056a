"""An encrypted Parquet file fails with that reason, where its encrypted columns are read.

Its metadata aborts the process if it is read without care.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pandera.ibis as pandera
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from social_assets.contracts.contract import Contract
from social_assets.ingest.files.open_file import read_records
from social_assets.ingest.records import FileError
from social_assets.operate.contracts.infer import infer
from social_assets.transform.duckdb_engine import DuckDBEngine


class Keys(pe.KmsClient):  # type: ignore[misc]
    """Wraps a key without a secret."""

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, wrapped: bytes, _: str) -> bytes:
        return base64.b64decode(wrapped)


class Post(pandera.DataFrameModel):
    """Posts."""

    post_id: str = pandera.Field(description="The post")
    platform: str = pandera.Field(description="Where it appeared")
    media_type: str = pandera.Field(description="What it is")


CONTRACT = Contract(
    name="encrypted_posts",
    model=Post,
    key=("post_id",),
    formats=("parquet",),
    owner="team:test",
)
POSTS = pa.table({"post_id": ["p1"], "platform": ["X"], "media_type": ["text"], "age": [30]})


def encrypted(folder: Path, columns: list[str], *, is_footer_plain: bool) -> Path:
    """A file of posts of which these columns are encrypted."""
    settings = pe.EncryptionConfiguration(
        footer_key="f", column_keys={"c": columns}, plaintext_footer=is_footer_plain
    )
    factory = pe.CryptoFactory(lambda _: Keys())
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    path = folder / "posts.parquet"
    with pq.ParquetWriter(path, POSTS.schema, encryption_properties=properties) as file:
        file.write_table(POSTS)
    return path


@pytest.mark.parametrize("is_footer_plain", [True, False])
def test_an_encrypted_file_fails_with_that_reason(tmp_path: Path, is_footer_plain: bool) -> None:
    path = encrypted(tmp_path, POSTS.column_names, is_footer_plain=is_footer_plain)
    with (
        DuckDBEngine(tmp_path / "spill").session() as session,
        pytest.raises(FileError, match=r"posts.parquet.*: it is encrypted .*; decrypt it"),
    ):
        list(read_records(CONTRACT, path, session.json_records))


def test_encrypted_columns_that_are_not_read_do_not_matter(tmp_path: Path) -> None:
    path = encrypted(tmp_path, ["age"], is_footer_plain=True)
    with DuckDBEngine(tmp_path / "spill").session() as session:
        (records,) = read_records(CONTRACT, path, session.json_records)
    (value,) = records.column("value").to_pylist()
    assert json.loads(value) == {"post_id": "p1", "platform": "X", "media_type": "text"}


@pytest.mark.parametrize("is_footer_plain", [True, False])
def test_no_contract_is_inferred_from_an_encrypted_file(
    tmp_path: Path, is_footer_plain: bool
) -> None:
    path = encrypted(tmp_path, POSTS.column_names, is_footer_plain=is_footer_plain)
    with pytest.raises(FileError, match="it is encrypted"):
        infer([path])
