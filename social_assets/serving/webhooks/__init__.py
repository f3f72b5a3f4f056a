"""The receiver of webhooks: a process of its own that stores events before it answers."""
