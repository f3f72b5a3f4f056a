"""The server as a process: `python -m resources.embedded_clickhouse --home DIR`.

`lifecycle` starts it and reads from a pipe whether it is ready or what went wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import IO

from resources.embedded_clickhouse.files import READY
from resources.settings.home import Home


def main(arguments: list[str] | None = None) -> int:
    """Serve until the end, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m resources.embedded_clickhouse")
    parser.add_argument("--home", type=Path, required=True, help="where all state lives")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--detach", action="store_true", help="leave the starting process at once")
    parser.add_argument("--ready-fd", type=int, help="descriptor to report on")
    given = parser.parse_args(arguments)
    # Only this user may read the files that the server writes.
    os.umask(0o077)
    if given.detach:
        _detach()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    report = os.fdopen(given.ready_fd, "w") if given.ready_fd is not None else None
    return _serve(Home(given.home), given.host, report)


def _serve(home: Home, host: str, report: IO[str] | None) -> int:
    # Detach first: only the detached process needs the heavy imports below.
    from resources.embedded_clickhouse.options import OptionError
    from resources.embedded_clickhouse.query.engine import DataFolderError
    from resources.embedded_clickhouse.server import AlreadyRunningError, serve
    from resources.embedded_clickhouse.version_file import ForeignVersionError
    from resources.machine.home_machine import HomeOfAnotherMachineError

    def tell(text: str) -> None:
        if report is not None:
            with report:
                report.write(text)

    try:
        serve(home, host, announce=lambda: tell(READY))
    except (
        AlreadyRunningError,
        DataFolderError,
        ForeignVersionError,
        HomeOfAnotherMachineError,
        OptionError,
    ) as error:
        logging.getLogger(__name__).error("%s", error)
        tell(str(error))
        return 1
    return 0


def _detach() -> None:
    """Detach from the parent: a new session, so that no other process ends this one."""
    if os.fork():
        os._exit(0)
    os.setsid()


if __name__ == "__main__":
    sys.exit(main())
