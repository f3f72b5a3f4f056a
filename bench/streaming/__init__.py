"""Measures Kafka to rollups: drain, freshness, idle, and PySpark as the peer."""
