"""Appends the log lines of this process to files of its own.

Belongs here: writing and beginning the next file. Whatever happens to the disk, a caller is neither
held nor gets an error: lines that cannot be written are counted, and the next line that can be
written is followed by one with their number. Standard library only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from resources.log_files.folder import SUFFIX, Removed, file_bytes, remove_oldest

Notice = Callable[[str], str]
"""Makes a line of a message about the files themselves."""

_AGAIN_SECONDS = 1.0
"""How long nothing is opened after a file could not be opened."""


class LineFile:
    """The files of one process in `folder`, which is made if the home is there.

    After a fork the child begins files of its own. `append` is called under a lock.
    """

    def __init__(self, home: Path, folder: Path, process: str, bound: int, notice: Notice) -> None:
        self._home, self._folder = home, folder
        self._process, self._bound, self._notice = process, bound, notice
        self._descriptor: int | None = None
        self._pid = 0
        self._size = 0
        self._number = 0
        self._lost = 0
        self._why = ""
        self._is_cut = False
        self._closed_until = 0.0

    def append(self, line: str) -> None:
        """Append a line, which has no line break."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        try:
            if not self._is_ready(len(data)):
                return
            self._write(data)
            if self._lost:
                self._tell_lost()
        except OSError as error:
            self._lost += 1
            self._why = error.strerror or type(error).__name__
            if self._descriptor is None:
                self._closed_until = time.monotonic() + _AGAIN_SECONDS

    def close(self) -> None:
        """Close the file; a later line begins another one."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None

    def _is_ready(self, more: int) -> bool:
        """Whether a file is open that has room. Without a home there is none, and nothing is
        lost: a command that only reads creates nothing.
        """
        if self._descriptor is not None and self._pid == os.getpid():
            if self._size == 0 or self._size + more <= file_bytes(self._bound):
                return True
        elif not self._home.is_dir():
            return False
        if time.monotonic() < self._closed_until:
            raise OSError(errno.EAGAIN, self._why)
        self.close()
        self._open()
        return True

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        removed = remove_oldest(self._folder, self._bound - file_bytes(self._bound))
        self._pid, self._size, self._is_cut = os.getpid(), 0, False
        while self._descriptor is None:
            self._descriptor = self._begun()
        if removed:
            self._write(self._told(removed))

    def _begun(self) -> int | None:
        """A new file with its lock; None if another process has looked at it before the lock was
        taken, and may have removed it.
        """
        self._number += 1
        name = f"{time.time_ns():020}-{self._process}-{self._pid}-{self._number}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._folder / name, flags, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        os.close(descriptor)
        return None

    def _write(self, data: bytes) -> None:
        """Write all or raise OSError. A line that was cut by a full disk is ended first."""
        if self._descriptor is None:
            raise OSError(errno.EBADF, "no log file is open")
        whole = b"\n" + data if self._is_cut else data
        written = os.write(self._descriptor, whole)
        self._size += written
        if written < len(whole):
            self._is_cut = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._is_cut = False

    def _tell_lost(self) -> None:
        said = f"{self._lost} log lines of this process could not be written: {self._why}"
        self._write(self._notice(said).encode("utf-8", "backslashreplace") + b"\n")
        self._lost = 0

    def _told(self, removed: Removed) -> bytes:
        said = (
            f"{removed.files} log files with {removed.bytes:,} bytes were removed before they were"
            f" shipped: all files have more than {self._bound:,} bytes"
        )
        return self._notice(said).encode("utf-8", "backslashreplace") + b"\n"
