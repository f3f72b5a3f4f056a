"""Whether each server of an installation is ready, asked as its clients ask it.

`python -m social_assets.operate.up.probes webserver 3000`, `serving 8080` and `daemon` end with 0
if so, for the health checks of containers.

Belongs here: the questions, each with a time limit. What follows from the answers belongs to
`resources.machine.supervisor`.
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from resources.settings.home import Home
from resources.web.token import ui_token

ANSWER_SECONDS = 3.0
DAEMON_SECONDS = 90.0
"""Three of the daemon's heartbeats."""

HEALTH = "/api/v1/health"
SERVER_INFO = "/server_info"

_HOST = "127.0.0.1"
_CODE_SERVER = "DagsterApi"
"""The name under which Dagster's code server tells its health."""


def code_server_serves(socket: Path) -> bool:
    """Whether the code server at a Unix socket says that it serves."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with grpc.insecure_channel(f"unix:{socket}") as channel:  # type: ignore[no-untyped-call]
        try:
            asked = HealthCheckRequest(service=_CODE_SERVER)
            stub = HealthStub(channel)  # type: ignore[no-untyped-call]
            answer = stub.Check(asked, timeout=ANSWER_SECONDS)
        except grpc.RpcError:
            # Nobody listens yet: what the caller asks.
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def answers(port: int, path: str, token: str | None = None) -> bool:
    """Whether a server on loopback answers a request with 200."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=ANSWER_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        # Nobody listens yet: what the caller asks.
        return False
    finally:
        connection.close()


def daemon_beats(home: Home, since: float) -> bool:
    """Whether every daemon that this installation needs has written a heartbeat lately, and after
    its process was started at `since`. False if the storage does not answer.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from social_assets.operate.runs.instance import open_instance

    oldest = max(since, time.time() - DAEMON_SECONDS)
    try:
        with open_instance(home) as instance:
            statuses = instance.get_daemon_statuses().values()
    except SQLAlchemyError:
        # The store of runs is away: the daemon does nothing meanwhile.
        return False
    beats = [each.last_heartbeat for each in statuses if each.required]
    return all(beat is not None and beat.timestamp >= oldest for beat in beats)


def main(arguments: Sequence[str]) -> int:
    """0 if the named server is ready, else 1."""
    home = Home.from_environment()
    match arguments:
        case ["webserver", port]:
            is_ready = answers(int(port), SERVER_INFO, ui_token(home))
        case ["serving", port]:
            is_ready = answers(int(port), HEALTH)
        case ["daemon"]:
            is_ready = daemon_beats(home, since=0.0)
        case _:
            print("name one: webserver PORT, serving PORT, daemon", file=sys.stderr)  # noqa: T201
            return 2
    return 0 if is_ready else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
