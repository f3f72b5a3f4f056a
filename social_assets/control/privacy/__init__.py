"""Requests to forget a person."""
