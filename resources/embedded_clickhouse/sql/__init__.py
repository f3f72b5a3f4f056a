"""The parts of ClickHouse's syntax that the server reads."""
