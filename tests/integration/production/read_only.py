"""Runs a command with a read-only file system, as a container would: in a mount namespace.

Needs `unshare` of util-linux, as root or where users may have namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STATE = "/home/social-assets/state"
"""Where the home's volume is mounted in the image."""

# The volume of the home, and a new /tmp; all else is read-only.
_MOUNTS = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /home
mkdir -p {STATE}
mount --bind "$1" {STATE}
mount --bind "$2" /mnt
mount -o remount,bind,ro /
mount -o remount,ro /home
mount --bind /mnt /tmp
shift 2
cd "$DAGSTER_HOME"
exec "$@"
"""


@dataclass(frozen=True)
class ReadOnly:
    """Two folders that commands may write to, as volume of the home and as /tmp."""

    home: Path
    temporary: Path
    environment: Mapping[str, str]

    def command(self, command: Sequence[str]) -> list[str]:
        """The command in a namespace of its own."""
        rights = [] if os.geteuid() == 0 else ["--map-root-user"]
        unshare = ["unshare", *rights, "--mount", "bash", "-c", _MOUNTS, "bash"]
        return [*unshare, str(self.home), str(self.temporary), *command]

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            self.command(command),
            env={**self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start the command, which writes to the log."""
        with log.open("wb") as written:
            return subprocess.Popen(
                self.command(command), env={**self.environment}, stdout=written, stderr=written
            )


def is_possible() -> bool:
    """Whether this machine lets a process have a mount namespace."""
    if shutil.which("unshare") is None:
        return False
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    tried = subprocess.run(
        ["unshare", *rights, "--mount", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0
