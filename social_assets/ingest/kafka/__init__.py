"""Kafka: ranges of a topic as Arrow records."""
