"""Change capture: a database's table as a stream of its changes."""
