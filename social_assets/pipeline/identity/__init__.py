"""Keeps the persons of linked identities in the warehouse."""
