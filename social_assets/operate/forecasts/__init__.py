"""Forecasts of the home, for the command line."""
