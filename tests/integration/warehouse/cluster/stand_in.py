"""Stands where a replica of a cluster would: records each statement, and has one server run it.

Belongs here: what takes the words of a cluster out of a statement again. It replicates nothing: it
shows which statements a cluster would get, and that the server takes them without those words.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from resources.embedded_clickhouse.lifecycle import Endpoint

NAME = "engagement"
_OF_CLUSTER = (
    (re.compile(rf'\s+ON CLUSTER\s+"{NAME}"', re.IGNORECASE), " "),
    (
        re.compile(
            r"Replicated(\w*MergeTree)\('/clickhouse/tables/\{uuid\}/\{shard\}', '\{replica\}'"
            r"(?:, )?"
        ),
        r"\1(",
    ),
    (
        re.compile(
            r"\breplicated_deduplication_window = (\d+), "
            r"replicated_deduplication_window_seconds = 604800"
        ),
        r"non_replicated_deduplication_window = \1",
    ),
    (re.compile(rf'clusterAllReplicas\("{NAME}", ([\w.]+)\)'), r"\1"),
    (re.compile(r"count\(distinct _shard_num\) > 1"), "1"),
    (re.compile(r"^\s*SYSTEM SYNC REPLICA.*", re.DOTALL), "SELECT 1"),
)
_OF_CONNECTION = ("host", "content-length", "connection", "transfer-encoding")


def of_one_server(statement: str) -> str:
    """The statement without what is of a cluster."""
    for pattern, instead in _OF_CLUSTER:
        statement = pattern.sub(instead, statement)
    return statement


@contextmanager
def recorded(endpoint: Endpoint) -> Iterator[tuple[str, list[str]]]:
    """The URL of the stand-in, and the statements that it has got so far."""
    statements: list[str] = []
    upstream = urlsplit(endpoint.url).netloc

    class Replica(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self._body()
            in_url = parse_qs(urlsplit(self.path).query).get("query")
            if in_url:
                statements.extend(in_url)
            elif body and not self.headers.get("Content-Encoding"):
                # With that header it is the rows of an INSERT, which defines nothing.
                statement = body.decode()
                statements.append(statement)
                body = of_one_server(statement).encode()
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _OF_CONNECTION}
            connection = http.client.HTTPConnection(upstream, timeout=300)
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            self.send_response(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in _OF_CONNECTION:
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the statements are what is recorded."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield f"http://{endpoint.user}:{endpoint.password}@127.0.0.1:{port}", statements
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
