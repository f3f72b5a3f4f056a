"""Asking ClickHouse for requests: turns, and questions that share a query."""
