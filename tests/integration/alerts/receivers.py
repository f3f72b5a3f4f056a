"""Receivers of alerts on loopback: an HTTP server and an SMTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from resources.machine.ports import free_port


@dataclass
class Webhook:
    """The requests of an HTTP server; while `refuses`, it answers 503 and keeps nothing."""

    port: int = 0
    refuses: bool = False
    asked: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        return [each["title"].removeprefix("[social-assets local] ") for each in self.received]

    def url(self, secret: str = "") -> str:
        return f"json://127.0.0.1:{self.port}/{secret}"


@contextmanager
def webhook() -> Iterator[Webhook]:
    found = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked += 1
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not found.refuses:
                found.received.append(content)
            self.send_response(503 if found.refuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing to standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@dataclass
class Mailbox:
    """The mails of an SMTP server."""

    port: int = 0
    received: list[Message] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Message as MessageHandler

    found = Mailbox()

    class Handler(MessageHandler):
        def handle_message(self, message: Message) -> None:
            found.received.append(message)

    found.port = free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()
