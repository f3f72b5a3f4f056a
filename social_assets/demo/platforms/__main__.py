"""Run the platform server: `python -m social_assets.demo.platforms --port 8099`."""

from __future__ import annotations

import argparse
import socket
import sys

import uvicorn

from social_assets.demo.platforms.server import PlatformServer, ServerOptions
from social_assets.demo.platforms.world.clock import parsed


def main() -> None:
    """Read the options, print the server's URL, answer until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument("--seed", type=int, default=1, help="what determines the world")
    parser.add_argument("--accounts", type=int, default=10, help="accounts of each platform")
    parser.add_argument(
        "--faults", type=float, default=0.0, help="share of calls that meet a fault"
    )
    parser.add_argument("--begin", help="day of the first posts, 2026-11-01; default: 20 days ago")
    parser.add_argument("--now", help="where the clock stands at first; default: real time")
    chosen = parser.parse_args()
    begin = parsed(chosen.begin) if chosen.begin else None
    now = parsed(chosen.now) if chosen.now else None
    options = ServerOptions(chosen.seed, chosen.accounts, begin, chosen.faults, now)
    server = PlatformServer(options)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", chosen.port))
    listening.listen(256)
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    # `critical`: a connection cut on purpose is no error that anyone needs to read.
    config = uvicorn.Config(server, log_level="critical", access_log=False, timeout_keep_alive=30)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
