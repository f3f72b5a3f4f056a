"""Features as they are now: the store that answers within milliseconds, and how it is filled."""
