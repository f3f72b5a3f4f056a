"""What runs connectors: requests, answers, budgets, tokens. `client` puts it together."""
