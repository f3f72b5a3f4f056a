"""The server: uvicorn with the application, until it is asked to end.

Belongs here: how the application is served. Who may ask is decided by `gate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from resources.web.listening import UvicornServer, end_with, listening, uvicorn_config
from social_assets.serving.app import create_app
from social_assets.serving.settings import ServeSettings


def serve(settings: ServeSettings, announce: Callable[[], None], ends_with: int | None) -> None:
    """Serve until SIGINT, SIGTERM, or the end of the pipe `ends_with`; open requests are answered.

    Raises ServeError if the port is taken, ControlStoreError if the store cannot be used.
    """
    with listening(settings.host, settings.port) as listener:
        config = uvicorn_config(create_app(settings), "on")
        server = UvicornServer(config)
        if ends_with is not None:
            end_with(server, ends_with)
        announce()
        # uvloop, which sends small answers at once; asyncio delays them by 40 ms on this socket.
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))
