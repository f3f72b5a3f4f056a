"""`social-assets notebook`: prints how to open lake and warehouse in pandas, DuckDB, ClickHouse.

Belongs here: the text of the snippet. It has addresses and the location of the password, never the
password itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import echo
from social_assets.operate.runs.failures import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

_LAKE = """\
# Lake: Delta tables {root}/<layer>/<stream>; layers raw, cleaned, quarantine.
from deltalake import DeltaTable

table = DeltaTable({table!r})
frame = table.to_pandas()  # pandas, the whole table; or only some days:
# frame = table.to_pandas(partitions=[("event_date", "=", "2026-01-31")])

import duckdb

days = duckdb.arrow(table.to_pyarrow_dataset()).query(
    "rows", "SELECT event_date, count(*) AS n FROM rows GROUP BY ALL ORDER BY ALL"
).df()
"""

_WAREHOUSE = """\
# Warehouse: ClickHouse databases cleaned, star, rollups, recsys.
import clickhouse_connect
{password}
client = clickhouse_connect.get_client(
    interface={scheme!r}, host={host!r}, port={port}, username={user!r}, password=password
)
tables = client.query_df("SELECT database, name FROM system.tables WHERE database = 'star'")
"""

_FROM_FILE = """from pathlib import Path

password = Path({file!r}).read_text().strip()"""

_FROM_ENVIRONMENT = """import os
from urllib.parse import unquote, urlsplit

password = unquote(urlsplit(os.environ[{variable!r}]).password or "")"""


@click.command(short_help="Print how to open the data in pandas or DuckDB.")
@click.argument("stream", required=False)
@reads_home
def notebook(home: Home, stream: str | None) -> None:
    """Print Python code that opens the home's lake and warehouse in pandas, DuckDB and
    clickhouse-connect; STREAM is the table of the example, by default one with rows.

    Paste it into a notebook, or run it: social-assets notebook > look.py && python look.py. The
    embedded ClickHouse must run: this command starts it, and it ends when it has been idle.
    """
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.contracts.registry import contract, contracts
    from social_assets.defs.stores import StoresResource

    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    chosen = contracts() if stream is None else (contract(stream),)
    filled = [each.name for each in chosen if stores.of(each).cleaned.rows_by_day()]
    if not filled:
        raise RunFailedError(
            f"{stream or 'every stream'} is without rows in {stores.lake.root}: load files first, "
            "with `social-assets load`"
        )
    echo(snippet(home, filled[0]))


def snippet(home: Home, stream: str) -> str:
    """The code for one stream's table and the warehouse; starts the embedded server."""
    from urllib.parse import urlsplit

    from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
    from resources.embedded_clickhouse.files import ServerFiles
    from social_assets.defs.stores import LAKE_URL

    endpoint = ClickHouseResource().endpoint()
    address = urlsplit(endpoint.url)
    root = os.environ.get(LAKE_URL) or str(home.lake)
    if os.environ.get(URL_VARIABLE):
        password = _FROM_ENVIRONMENT.format(variable=URL_VARIABLE)
    else:
        file: Path = ServerFiles(home).password_file
        password = _FROM_FILE.format(file=str(file))
    return "\n".join(
        [
            _LAKE.format(root=root, table=f"{root}/cleaned/{stream}"),
            _WAREHOUSE.format(
                password=password,
                scheme=address.scheme,
                host=address.hostname,
                port=address.port,
                user=endpoint.user,
            ),
        ]
    )
