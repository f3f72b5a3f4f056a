"""How a text becomes a value: times, numbers, texts and lists, and what is missing.

Belongs here: one module for each kind of value. Each compiles to columns of the query that
validates a block: a cheap form is tried on every record, a costly one only where that gives null.
"""
