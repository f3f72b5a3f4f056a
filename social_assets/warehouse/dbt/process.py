"""The process that dbt runs in: it has dbt loaded, and forks for each command.

Run as `python -m social_assets.warehouse.dbt.process`, it reads commands from the socket that is
its standard input (see `commands`), and lives until the socket is closed. A command brings the pipe
that dbt logs to, as JSON lines. A process of its own, since dbt keeps its state in globals; one
that stays, since dbt takes 2 s of CPU to import. A command may bring a manifest parsed before,
since dbt parses the whole project again whenever `--vars` change (measured: 3 s of CPU).
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

# Not named below: loaded here once, before any command is forked.
import dbt.adapters.clickhouse
import dbt.task.run
import dbt.task.test  # noqa: F401
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

_LOGS = 1
"""The descriptor that dbt logs to; its standard output."""


def main() -> None:
    """Run command after command; answers each with the process id of dbt, then its exit code."""
    # Ctrl-C is for whoever gives the commands, and for a command that runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=os.dup(0)) as commands:
        while line := _read_line(commands):
            text, logs = line
            child = os.fork()
            if child == 0:
                commands.close()
                _become(json.loads(text), logs)
            os.close(logs)
            commands.sendall(f"{child}\n".encode())
            _, status = os.waitpid(child, 0)
            commands.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _read_line(commands: socket.socket) -> tuple[bytes, int] | None:
    """The next command, and the pipe that came with it; None when there are no more."""
    text, descriptors, _, _ = socket.recv_fds(commands, 1 << 16, 1)
    while text and not text.endswith(b"\n"):
        text += commands.recv(1 << 16)
    return (text, descriptors[0]) if text else None


def _become(command: dict[str, Any], logs: int) -> None:
    """Be the process of one command: its environment, its exit code."""
    os.environ.clear()
    os.environ.update(command["environment"])
    os.dup2(logs, _LOGS)
    os.close(logs)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run(command["partial_parse"], command["arguments"]))


def run(partial_parse: str | None, arguments: list[str]) -> int:
    """Run dbt; 1 when it or a node failed."""
    manifest = None if partial_parse is None else _parsed(Path(partial_parse))
    done = dbtRunner(manifest=manifest, callbacks=[_end_if_nobody_reads]).invoke(arguments)
    if done.exception is not None:
        # dbt does not log what fails before the command starts.
        failure = {"info": {"level": "error", "msg": str(done.exception)}, "data": {}}
        sys.stdout.write(json.dumps(failure) + "\n")
    return 0 if done.success else 1


def _parsed(partial_parse: Path) -> Manifest:
    return Manifest.from_msgpack(partial_parse.read_bytes(), decoder=extended_mashumuro_decoder)


def _end_if_nobody_reads(_event: object) -> None:
    """End when the log has no reader: dbt itself goes on when its log can't be written."""
    pipe = select.poll()
    pipe.register(_LOGS, 0)
    if pipe.poll(0):
        os._exit(1)


if __name__ == "__main__":
    main()
