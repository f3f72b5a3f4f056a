"""Secrets that must be readable again: encrypted values, and the keys that encrypt them."""
