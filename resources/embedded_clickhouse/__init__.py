"""ClickHouse without a server to install: chDB behind ClickHouse's own HTTP interface.

chDB locks its folder to one process, and Dagster runs many processes. So one local process opens
the folder, and all others send it HTTP requests, as they would to a ClickHouse server.

Any process may import `lifecycle`, `files` and `options`: they start, find and stop the server, and
import nothing heavy. All other modules run inside the server process: `server` is the process,
`http` the protocol, `query` runs statements on chDB. No module here names a table of this project.
"""
