"""The contracts: one module a stream says what its rows must be. Imports nothing else of ours.

A new stream is a new module here with a pandera model and a `CONTRACT`. No other file needs an
edit.
"""
