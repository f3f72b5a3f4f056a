"""Reads the evidence of unusual behaviour for its dashboard."""
