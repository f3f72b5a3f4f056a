"""Benchmarks of what people and programs read: rollups, answers, pages."""
