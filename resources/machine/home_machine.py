"""Which machine uses a home: the record in the home, and the refusal of another machine.

A stream's lock is a file lock, which holds on one machine. So a home belongs to the machine that
used it first, until another one takes it over. Processes with one kernel (`boot`), such as the
containers of one host, are one machine; so is a machine after a reboot, and what has one name in
SOCIAL_ASSETS_MACHINE. Standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

NAME = "SOCIAL_ASSETS_MACHINE"
FILE = "machine.json"

_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SIGNS_OF_A_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
_KUBERNETES = "KUBERNETES_SERVICE_HOST"


class HomeOfAnotherMachineError(RuntimeError):
    """The home belongs to another machine."""


@dataclass(frozen=True)
class Machine:
    """A machine as it is known to others."""

    name: str
    """From SOCIAL_ASSETS_MACHINE; "" if that is not set."""
    id: str
    """The operating system's; in a container its host name, since images carry ids along."""
    boot: str
    """Of the running kernel; "" where the system does not tell."""
    host: str
    since: str
    """When it began to use the home."""

    def is_same(self, other: Machine) -> bool:
        """Whether file locks of the one hold for the other."""
        if self.name and other.name:
            return self.name == other.name
        return self.id == other.id or (bool(self.boot) and self.boot == other.boot)

    def __str__(self) -> str:
        return f"{self.name} (host {self.host})" if self.name else self.host


def this_machine() -> Machine:
    """The machine that this process runs on."""
    host = socket.gethostname()
    in_container = _KUBERNETES in os.environ or any(p.exists() for p in _SIGNS_OF_A_CONTAINER)
    identity = "" if in_container else _text(_MACHINE_ID)
    return Machine(
        name=os.environ.get(NAME, "").strip(),
        id=identity or host,
        boot=_text(_BOOT_ID),
        host=host,
        since=_told(time.time()),
    )


def claim_home(locks: Path) -> None:
    """Record that this machine uses the home with this folder of locks, and when it last did.

    Raises HomeOfAnotherMachineError if another machine has it.
    """
    locks.mkdir(parents=True, exist_ok=True)
    file, this = locks / FILE, this_machine()
    found = _read(file)
    if found is None:
        # Of two machines that come at once, one makes the file.
        if _write_new(file, this):
            return
        found = _read(file) or this
    if not found.is_same(this):
        raise HomeOfAnotherMachineError(_refusal(locks, file, found))
    if (found.name, found.boot) == (this.name or found.name, this.boot):
        # What has gone meanwhile was taken over: the next writer sees by whom.
        with suppress(FileNotFoundError):
            os.utime(file)
    else:
        _replace(file, Machine(this.name or found.name, this.id, this.boot, this.host, found.since))


def take_over_home(locks: Path) -> None:
    """Make this machine the one that the home belongs to. The other one must have ended."""
    locks.mkdir(parents=True, exist_ok=True)
    _replace(locks / FILE, this_machine())


def _refusal(locks: Path, file: Path, other: Machine) -> str:
    used = _told(file.stat().st_mtime)
    return (
        f"the home {locks.parent} belongs to another machine, {other}, since {other.since}, "
        f"last used {used}; file locks do not hold between machines. Work there; or end there what "
        "uses it (Ctrl-C of `dev`, `social-assets stop`, `social-assets kafka stop`), and then run "
        "`social-assets --take-over status` here. Containers and pods of one host that share "
        f"a home need one name in {NAME}"
    )


def _read(file: Path) -> Machine | None:
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    try:
        return Machine(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise HomeOfAnotherMachineError(
            f"{file} does not say which machine uses the home ({error}); if no other machine does, "
            "run `social-assets --take-over status`"
        ) from error


def _write_new(file: Path, machine: Machine) -> bool:
    """Whether the file was made; it appears whole, also on NFS."""
    whole = _temporary(file, machine)
    try:
        os.link(whole, file)
    except FileExistsError:
        return False
    finally:
        whole.unlink()
    return True


def _replace(file: Path, machine: Machine) -> None:
    _temporary(file, machine).replace(file)


def _temporary(file: Path, machine: Machine) -> Path:
    with NamedTemporaryFile(
        "w", dir=file.parent, prefix=f".{file.name}.", delete=False
    ) as temporary:
        json.dump(asdict(machine), temporary)
        temporary.flush()
        os.fsync(temporary.fileno())
    return Path(temporary.name)


def _text(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _told(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
