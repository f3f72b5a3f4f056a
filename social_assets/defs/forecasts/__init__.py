"""Forecasts of engagement, and the checks of them."""
