"""Kafka as a resource: settings, admin questions, brokers of this machine."""
