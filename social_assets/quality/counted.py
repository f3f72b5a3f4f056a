"""A number with its noun, for the texts of checks and commands: `1 day`, `1,200 days`."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """The number, and the noun in the form that goes with it."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"
