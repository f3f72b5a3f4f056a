"""Benchmarks: each prints what it measured beside its target. `make bench` runs all."""
