"""The configuration file of the engine: its user `default`, merges, and the reserve of free space.

`access` checks the password of HTTP requests. The password here is for queries of the engine to
itself: the source of a dictionary names a user and a password, even if it is a table of the same
engine, and dbt-clickhouse writes those of its profile there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.sax.saxutils import escape

from resources.embedded_clickhouse.files import USER
from resources.machine.file_locks import write_atomically

_MERGE_SELECTOR_BASE = 12
"""The size of a merge in multiples of its largest part: a larger base rewrites rows less often.
With ClickHouse's default of 5, merges took two thirds of the CPU of a drain (10 M events, 50
inserts: 50 of 75 CPU s; with 12: 28 of 60; with 25: no less than with 12)."""

_DROP_DELAY = "database_atomic_delay_before_drop_table_sec"
_DROP_DELAY_SECONDS = 1
"""How long the files of a dropped table stay; ClickHouse's default is 8 minutes. Nothing here uses
UNDROP, and a person who is forgotten is in dropped tables as well."""

# Without this, chDB maps the file of a body into memory, and the whole body becomes resident.
# The log of parts is in memory, so that queries on it work on a full disk; see `written_parts`.
# chDB opens its sessions as `default` without a password, so that must stay valid too.
# Code of this process needs no check; other processes reach the engine only by HTTP.
_CONFIG = """<clickhouse>
  <users_config>{path}</users_config>
  <profiles><default>
    <min_free_disk_bytes_to_perform_insert>{reserve}</min_free_disk_bytes_to_perform_insert>
    <storage_file_read_method>pread</storage_file_read_method>
  </default></profiles>
  <quotas><default/></quotas>
  <{drop_delay_name}>{drop_delay}</{drop_delay_name}>
  <part_log>
    <database>system</database>
    <table>part_log</table>
    <engine>ENGINE = Memory SETTINGS min_rows_to_keep = 1000, max_rows_to_keep = 10000</engine>
    <max_size_rows>8192</max_size_rows>
    <reserved_size_rows>256</reserved_size_rows>
    <buffer_size_rows_flush_threshold>4096</buffer_size_rows_flush_threshold>
    <flush_interval_milliseconds>60000</flush_interval_milliseconds>
  </part_log>
  <merge_tree><merge_selector_base>{merge_base}</merge_selector_base></merge_tree>
  <users>
    <{user}>
      <auth_methods>
        <of_chdb><password/></of_chdb>
        <of_this_home><password_sha256_hex>{digest}</password_sha256_hex></of_this_home>
      </auth_methods>
      <networks><ip>::1</ip><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <named_collection_control>1</named_collection_control>
    </{user}>
  </users>
</clickhouse>
"""


def write_engine_config(path: Path, password: str, reserve_bytes: int) -> None:
    """Write the file for `Engine`. It has a hash of the password, never the password.

    The engine checks the reserve before each part, so that one long insert does not use it up.
    """
    digest = hashlib.sha256(password.encode()).hexdigest()
    write_atomically(
        path,
        _CONFIG.format(
            path=escape(str(path)),
            user=USER,
            digest=digest,
            merge_base=_MERGE_SELECTOR_BASE,
            reserve=reserve_bytes,
            drop_delay_name=_DROP_DELAY,
            drop_delay=_DROP_DELAY_SECONDS,
        ),
    )
