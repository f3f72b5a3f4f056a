"""Webhooks: what the platforms push, verified and cut into events."""
