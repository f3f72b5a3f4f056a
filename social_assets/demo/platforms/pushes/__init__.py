"""Webhooks that the platforms send."""
