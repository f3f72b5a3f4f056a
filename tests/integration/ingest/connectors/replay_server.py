"""A real HTTP server whose answers a test writes out, and which keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return dict(json.loads(self.body))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Given:
    """An answer: its body is bytes as they are, or a value to write as JSON."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Whether the connection ends in the middle of the body."""


@dataclass
class Replayed:
    """Answers in their order; or one function of the request."""

    url: str = ""
    answers: list[Given] = field(default_factory=list)
    answer: Callable[[Asked], Given] | None = None
    asked: list[Asked] = field(default_factory=list)

    def give(self, *answers: Given | object) -> None:
        self.answers += [each if isinstance(each, Given) else Given(each) for each in answers]

    def next(self, asked: Asked) -> Given:
        self.asked.append(asked)
        if self.answer is not None:
            return self.answer(asked)
        return self.answers.pop(0) if self.answers else Given({"test": "no answer left"}, 418)


@contextmanager
def replay_server() -> Iterator[Replayed]:
    replayed = Replayed()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            given = replayed.next(asked)
            body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if given.is_cut else body)
            self.close_connection = given.is_cut

        do_GET = do_POST = respond  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    replayed.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield replayed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
