"""Experiments: what is declared, who gets which variant, and what came of it; without Dagster."""
