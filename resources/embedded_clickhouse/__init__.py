"""ClickHouse without a server to install: chDB behind ClickHouse's own HTTP interface.

chDB locks its folder to one process, and Dagster runs many. So one local process opens
the folder, and every client speaks HTTP to it as it would to a server.

The package has two sides. `lifecycle`, `files` and `options` are what any process may
import: they start, find and stop the server, and import nothing heavy. Everything else
runs inside the server process, from `server` (the process) over `http_app` (the
protocol) to `engine` (chDB). Nothing here knows a table of this project.
"""
