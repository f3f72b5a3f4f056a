"""Scorers that are networks: functions of arrays that NumPy computes and JAX trains."""
