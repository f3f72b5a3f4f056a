"""Who may call, how often, and what was called."""
