"""ClickHouse's HTTP interface: requests, bodies, responses, pages."""
