"""The doctor's examination of the machine: Python, packages, home, disk, memory, clock, Java."""

from __future__ import annotations

import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from resources.settings.home import Home
from resources.settings.private_home import can_be_replaced_by_others, is_open_to_others
from resources.web.token import token_file
from social_assets.operate.doctor.diagnostic import Diagnostic, error, ok, warn

OLDEST_PYTHON = (3, 11)
DISTRIBUTION = "social-assets"
OLDEST_JAVA = 17

GIGABYTE = 1024**3
WARN_MEMORY_BYTES = 1 * GIGABYTE
FEWEST_FILES = 1024
CLOCK_SECONDS = 60.0

_MEMORY = Path("/proc/meminfo")


def python(_: Home) -> Iterator[Diagnostic]:
    """The interpreter, and how many files it may open."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield error("python", version, "use Python 3.11 or newer")
    else:
        yield ok("python", f"{version}, {sys.executable}")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < FEWEST_FILES:
        yield warn(
            "python", f"a process may open {files} files", f"raise it: ulimit -n {FEWEST_FILES}"
        )


def packages(_: Home) -> Iterator[Diagnostic]:
    """Whether the installed packages are those that the project requires."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    wrong = []
    asked = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    needed = [r for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
    for requirement in needed:
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, not {requirement.specifier}")
    for each in wrong:
        yield error("packages", each, "install anew: make install")
    if not wrong:
        yield ok("packages", f"{len(needed)} as pyproject.toml asks")


def home_folder(home: Home) -> Iterator[Diagnostic]:
    """Whether the home is writable, and for whom else."""
    place = _nearest(home.path)
    try:
        with tempfile.TemporaryFile(dir=place):
            yield ok("home", f"{home.path} can be written")
    except OSError as problem:
        yield error(
            "home",
            f"{place} cannot be written: {problem.strerror}",
            f"give it to this user (chown -R {os.getuid()} {place}), or set SOCIAL_ASSETS_HOME",
        )
        return
    for secret in (
        home.clickhouse / "password",
        home.path / "alerts" / "journal.sqlite",
        token_file(home),
        home.control / "control.db",
        home.control / "secret.key",
    ):
        if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
            yield error("home", f"{secret} can be read by others", f"chmod 600 {secret}")
    if home.path.exists() and stat.S_IMODE(home.path.stat().st_mode) & stat.S_IWOTH:
        yield error("home", f"{home.path} can be written by everybody", f"chmod o-w {home.path}")
    elif is_open_to_others(home.path):
        yield warn("home", f"{home.path} can be read by others", f"chmod go-rwx {home.path}")
    if home.path.parent.exists() and can_be_replaced_by_others(home.path.parent):
        yield warn(
            "home",
            f"{home.path.parent}, which holds the home, can be written by others",
            f"chmod go-w {home.path.parent}, or move the home",
        )
    for owned in (home.lake, home.dagster, home.clickhouse, home.path / "locks", home.landing):
        if owned.exists() and not os.access(owned, os.W_OK | os.X_OK):
            yield error(
                "home",
                f"{owned} cannot be written by this user",
                f"give it to this user: chown -R {os.getuid()} {owned}",
            )


def disk(home: Home) -> Iterator[Diagnostic]:
    """The free space, in bytes and in files, of every disk that is written to."""
    from social_assets.alerts.active import Severity
    from social_assets.alerts.kinds.full_disks import REMEDY, disks

    for each in disks(home):
        if each.severity is None:
            yield ok("disk", each.describe())
        else:
            name = error if each.severity is Severity.ERROR else warn
            yield name("disk", each.describe(), REMEDY)
        usage = os.statvfs(each.space.folder)
        if usage.f_files and usage.f_favail < usage.f_files // 100:
            yield warn(
                "disk",
                f"{usage.f_favail:,} files left on the disk of {each.space.folder}",
                "delete small files",
            )


def memory(_: Home) -> Iterator[Diagnostic]:
    """The free memory."""
    if not _MEMORY.exists():
        yield ok("memory", "not told by this system")
        return
    kilobytes = dict(re.findall(r"^(\w+):\s+(\d+)", _MEMORY.read_text(), re.MULTILINE))
    available = int(kilobytes["MemAvailable"]) * 1024
    text = f"{available / GIGABYTE:,.1f} of {int(kilobytes['MemTotal']) / 1024**2:,.1f} GiB free"
    if available < WARN_MEMORY_BYTES:
        yield warn("memory", text, "end what is not needed; a load takes up to 1 GB")
    else:
        yield ok("memory", text)


def clock(home: Home) -> Iterator[Diagnostic]:
    """Whether the clock was set back: then files have times in the future.

    A clock that is ahead accepts records from the future; one that is behind rejects current ones.
    """
    now = time.time()
    written = [home.dagster / "storage", home.lake, home.path / "alerts", home.logs]
    newest = max((p.stat().st_mtime for p in written if p.exists()), default=now)
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if newest - now > CLOCK_SECONDS:
        yield error(
            "clock",
            f"{shown}, but the home was written {newest - now:,.0f} s later than that",
            "set the clock, and keep it by NTP (timedatectl set-ntp true)",
        )
    else:
        yield ok("clock", shown)


def java(home: Home) -> Iterator[Diagnostic]:
    """Java, which only the home's own Kafka needs, and Maven, which downloads it."""
    needs = "needed for `social-assets kafka start` alone"
    if not shutil.which("java"):
        yield ok("java", f"not there; {needs}")
        return
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found.group(1)) < OLDEST_JAVA:
        first = said.splitlines()[0] if said else "says nothing"
        yield warn("java", f"{first}; {needs}", f"install Java {OLDEST_JAVA} or newer")
    elif not shutil.which("mvn") and not (home.kafka / "jars").is_dir():
        yield warn("java", f"no Maven on the path; {needs}", "install Maven")
    else:
        yield ok("java", f"{found.group(1)}; {needs}")


def _nearest(path: Path) -> Path:
    """The folder itself, or the existing folder in which it would be created."""
    return next(p for p in (path, *path.parents) if p.exists())
