"""The streams that connectors collect: one module a stream, with a source for each platform."""
