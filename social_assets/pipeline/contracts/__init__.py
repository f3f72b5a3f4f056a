"""Contracts that change: which one is in force, and its deployment."""
