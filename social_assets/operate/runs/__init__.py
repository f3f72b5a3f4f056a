"""Dagster runs that a command starts, and the instance that records them."""
