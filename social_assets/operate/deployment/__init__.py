"""Deployments: what one would do, whom it breaks, what it costs, and doing it."""
