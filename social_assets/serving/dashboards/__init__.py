"""Dashboards in the browser: declared ones, and those that people compose of metrics."""
