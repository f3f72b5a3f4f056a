"""Dagster's launcher of a process a run, under a name of its own.

Here belongs the name. The UI's Materialize dialog warns of "the default run launcher" without a
queue, which it knows by the name of the class. The warning is about backfills that start a process
for each partition; every asset of ours takes a range of days in one run.
"""

from __future__ import annotations

from dagster import DefaultRunLauncher


class LocalLauncher(DefaultRunLauncher):
    """Runs in processes of this machine, which the code server starts."""
