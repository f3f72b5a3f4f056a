"""The HTTP API of metrics, posts, accounts and recommendations."""
