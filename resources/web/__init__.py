"""Checks of requests that all listeners share."""
