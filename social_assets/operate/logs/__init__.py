"""Shipping and reading the logs of a home."""
