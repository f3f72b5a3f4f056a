"""What the server reads of ClickHouse's syntax."""
