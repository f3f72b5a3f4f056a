"""Benchmarks, in a folder a subject: each prints what it measured beside its target."""
