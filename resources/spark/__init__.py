"""Spark as a resource: the session of this process."""
