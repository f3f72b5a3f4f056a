"""Requests to forget a person by the API."""
