"""Queries of the engine: compiled once, and kept on disk for later processes."""
