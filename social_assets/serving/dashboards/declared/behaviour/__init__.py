"""Dashboards of how users behave."""
