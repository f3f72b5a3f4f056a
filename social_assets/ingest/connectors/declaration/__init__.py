"""The values that connectors are declared with, as frozen dataclasses. They do nothing."""
