"""Samples of each built-in stream."""
