"""Sensors: what asks for runs. They look, and never work."""
