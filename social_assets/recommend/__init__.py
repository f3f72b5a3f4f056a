"""Recommenders over the warehouse, without Dagster."""
