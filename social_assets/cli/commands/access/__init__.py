"""Commands about who may use the platform: API keys, and secrets that the platform uses."""
