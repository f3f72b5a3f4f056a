"""Processes with dbt loaded: one is started by the first command, and kept for the next.

Here belongs their life, seen from the process that wants dbt run. What happens in them stands in
`dbt_process`; what is run, in `dbt_project`.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_SOURCES = Path(__file__).resolve().parents[3]

_idle: list[subprocess.Popen[str]] = []
"""Those without a command. A command takes one out, so that two commands never share one."""

os.register_at_fork(after_in_child=_idle.clear)


def run_command(
    partial_parse: Path | None, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Run dbt with these arguments; yields what it reports as it goes, last its `exit` code.

    `partial_parse` is the file of a manifest parsed before; without one, dbt parses the project.
    The environment is this process's, with `environment` on top. When the caller stops early, or
    is killed, dbt ends with its next report.
    """
    process = _take()
    command = {
        "partial_parse": None if partial_parse is None else str(partial_parse),
        "arguments": list(arguments),
        "environment": {**os.environ, **environment, "PYTHONPATH": python_path()},
    }
    is_done = False
    try:
        print(json.dumps(command), file=process.stdin, flush=True)
        for line in process.stdout or ():
            report: dict[str, Any] = json.loads(line)
            is_done = "exit" in report
            yield report
            if is_done:
                break
        else:
            yield {"exit": process.wait()}
    finally:
        if is_done:
            _idle.append(process)
        else:
            _end(process)


def python_path() -> str:
    """Where a process of ours finds our packages, whatever folder it is started from."""
    return os.pathsep.join(filter(None, (str(_SOURCES), os.environ.get("PYTHONPATH"))))


def _take() -> subprocess.Popen[str]:
    while _idle:
        process = _idle.pop()
        if process.poll() is None:
            return process
        _end(process)
    return _start()


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "social_assets.warehouse.dbt.process"],
        env={**os.environ, "PYTHONPATH": python_path()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


@atexit.register
def _end_idle() -> None:
    while _idle:
        _end(_idle.pop())
