"""The streams of what recommenders show, and of what people do with it: one module each."""
