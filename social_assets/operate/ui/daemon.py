"""Dagster's daemon with our log files: `python -m social_assets.operate.ui.daemon ARGUMENTS`.

Takes the arguments of `dagster-daemon`, also for a production installation. Belongs here: only what
must happen in the daemon's process before it starts.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points

from resources.log_files.handler import begin_logs

MODULE = "social_assets.operate.ui.daemon"


def main() -> None:
    """Run the daemon; what it and its children write is for this user alone."""
    os.umask(0o077)
    begin_logs("daemon")
    [command] = entry_points(group="console_scripts", name="dagster-daemon")
    command.load()()


if __name__ == "__main__":
    main()
