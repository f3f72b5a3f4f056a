"""Log lines of all processes in ClickHouse."""
