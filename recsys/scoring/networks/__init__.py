"""Scorers that read the sequence of a user's items, as functions of arrays."""
