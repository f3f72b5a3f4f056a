"""Measures the models on public interaction files."""
