"""Forecasts of series of counts, with intervals whose coverage is measured."""
