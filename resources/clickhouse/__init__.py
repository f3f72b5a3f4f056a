"""ClickHouse as a resource: a server by URL, or the embedded one."""
