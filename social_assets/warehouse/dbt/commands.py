"""Processes that have dbt loaded: the first command starts one, and the next commands reuse it.

Belongs here: starting and reusing these processes. What they do belongs to `process`, what they run
to `project`.
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
"""Idle processes. A command removes one from the list, so that two commands never share one."""

os.register_at_fork(after_in_child=_idle.clear)


def run_command(
    partial_parse: Path | None, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Run dbt with these arguments; yields its reports as they come, and last its `exit` code.

    `partial_parse` is the file of a manifest that was parsed before; without one, dbt parses the
    project. The environment is that of this process, overridden by `environment`. If the caller
    stops early, or is killed, dbt ends at its next report.
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
    """The path on which a child process finds our packages, whatever folder it is started in."""
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
