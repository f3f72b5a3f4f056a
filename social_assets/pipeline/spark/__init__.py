"""Rebuilds and loads on Spark: the driver's part, and the executors' part."""
