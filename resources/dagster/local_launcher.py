"""Dagster's launcher of a process a run, under another name.

Belongs here: the name. Without a queue, the UI's Materialize dialog warns about "the default run
launcher", which it recognizes by the class's name. The warning is about backfills that start a
process for each partition; our assets take a range of days in one run.
"""

from __future__ import annotations

from dagster import DefaultRunLauncher


class LocalLauncher(DefaultRunLauncher):
    """Runs in processes of this machine, which the code server starts."""
