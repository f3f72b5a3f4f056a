"""Dashboards of what is recommended, and of experiments with it."""
