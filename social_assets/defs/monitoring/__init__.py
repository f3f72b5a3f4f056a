"""Checks and schedules that watch the whole installation."""
