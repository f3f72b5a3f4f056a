"""Recommendations of a user, and what the services that show them send back."""
