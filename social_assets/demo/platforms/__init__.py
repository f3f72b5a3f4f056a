"""A server that behaves as the APIs of five platforms document it, over a made-up world."""
