"""The code locations by name: for commands that run their jobs, or read their graph.

Here belongs which ones there are, as `workspace.yaml` says, and where that file lies. What is in
them stands in `social_assets.locations`.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pathlib import Path

from dagster import Definitions

WORKSPACE = "workspace.yaml"

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / WORKSPACE, _PACKAGE.parent / WORKSPACE)
"""Where a wheel puts the file, and where the checkout has it."""


class Location(StrEnum):
    """A code location; its value is its name in the UI."""

    STREAMING = "streaming"
    BATCH = "batch"

    @property
    def module(self) -> str:
        """The module that Dagster loads."""
        return f"social_assets.locations.{self.value}"

    def definitions(self) -> Definitions:
        """What is in it; importing it takes a second or more."""
        found: Definitions = import_module(self.module).defs()
        return found


def workspace_file() -> Path:
    """The file that names both for Dagster's own commands."""
    return next(place for place in _PLACES if place.exists())
