"""One module a stream: what its rows must be. Imports nothing else of ours.

A new stream is a new module here with a pandera model and a `CONTRACT`; nothing else needs an edit.
"""
