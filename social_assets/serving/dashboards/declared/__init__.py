"""The declared dashboards, one module each: DASHBOARD."""
