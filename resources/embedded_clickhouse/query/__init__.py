"""How a query runs: the engine, its connections, room on the disk."""
