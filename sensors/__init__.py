"""Sensors: they request runs. They only read; the runs do the work."""
