"""Measures what Dagster, its imports and the checks add to the work."""
