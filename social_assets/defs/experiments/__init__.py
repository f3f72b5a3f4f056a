"""Experiments: their results, and the checks of them."""
