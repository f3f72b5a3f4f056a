"""Paths in JSON values, as declarations write them."""

from __future__ import annotations


def value_at(value: object, path: str) -> object:
    """The value at a path such as `error.code` or `errors.0.reason`; None if there is none."""
    for key in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
