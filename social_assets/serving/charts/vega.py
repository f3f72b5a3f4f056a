"""What Vega-Lite's specifications are here: their type, and their version.

Belongs here: nothing that draws.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Specification: TypeAlias = dict[str, Any]
"""Vega-Lite, as JSON has it."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
