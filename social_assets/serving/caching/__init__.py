"""Answers that are kept for a minute: in this process, and in a Redis that servers share."""
