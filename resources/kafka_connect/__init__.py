"""Kafka Connect on loopback, with Debezium's connector, and how to ask it."""
