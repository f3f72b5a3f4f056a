"""A proxy before an HTTP server that answers 503 or 403, cuts connections, or holds requests.

Used between the lake and the S3 server of the tests. Each connection takes one request: clients
open the next one by themselves.
"""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO


class Fault(Enum):
    """What happens to a request."""

    REFUSED = "503, and the server has not seen it"
    FORBIDDEN = "403, and the server has not seen it"
    CUT_BEFORE = "the connection ends, and the server has not seen it"
    CUT_AFTER = "the server has done it, and the connection ends before its answer"
    HELD_BEFORE = "it waits for `let_go`, and the server has not seen it"
    HELD_AFTER = "the server has done it, and the answer waits for `let_go`"


@dataclass(frozen=True)
class Request:
    """What a fault may depend on."""

    method: str
    path: str


Faults = Callable[[Request], Fault | None]

_BODY = b"<Error><Code>SlowDown</Code></Error>"
_REFUSAL = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)

_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
"""As to a HEAD request, whose answer has no body."""


def at_random(rate: float, seed: int, *faults: Fault) -> Faults:
    """One of some faults, at this rate, whatever the request is."""
    chosen = random.Random(seed)  # noqa: S311 - which requests, not secrets

    def fault_of(_: Request) -> Fault | None:
        return chosen.choice(faults) if chosen.random() < rate else None

    return fault_of


class FaultyProxy:
    """A proxy on a port of its own. `faults` may change; `given` counts what they were."""

    def __init__(self, upstream: int, faults: Faults) -> None:
        self._upstream = upstream
        self.faults = faults
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.given: Counter[Fault] = Counter()
        self.is_held = threading.Event()
        """Whether a request waits."""
        self._may_go = threading.Event()

    def serve(self) -> None:
        """Serve until `close`, each connection in a thread."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End; what is held ends too."""
        self.let_go()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def let_go(self) -> None:
        """End the connections that are held."""
        self._may_go.set()
        self._may_go = threading.Event()
        self.is_held.clear()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            message, request = _read(client)
            if request is None:
                return
            fault = self.faults(request)
            if fault is not None:
                self.given[fault] += 1
            if fault is Fault.REFUSED:
                client.sendall(_REFUSAL)
                return
            if fault is Fault.FORBIDDEN:
                client.sendall(_FORBIDDEN)
                return
            if fault is Fault.CUT_BEFORE:
                return
            if fault is Fault.HELD_BEFORE:
                self._hold()
                return
            answer = self._answered(message)
            if fault is Fault.HELD_AFTER:
                self._hold()
            elif fault is not Fault.CUT_AFTER:
                client.sendall(answer)

    def _hold(self) -> None:
        may_go = self._may_go
        self.is_held.set()
        may_go.wait()

    def _answered(self, message: bytes) -> bytes:
        head, _, body = message.partition(b"\r\n\r\n")
        lines = [
            each for each in head.split(b"\r\n") if not each.lower().startswith(b"connection:")
        ]
        with socket.create_connection(("127.0.0.1", self._upstream), timeout=60) as server:
            server.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            parts = []
            while part := server.recv(1 << 16):
                parts.append(part)
            return b"".join(parts)


@contextmanager
def faulty_proxy(upstream: int, faults: Faults) -> Iterator[FaultyProxy]:
    """A proxy before a port of this machine, for the block."""
    proxy = FaultyProxy(upstream, faults)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


def _read(client: socket.socket) -> tuple[bytes, Request | None]:
    """A whole request; None if the client has closed the connection."""
    with client.makefile("rb") as stream:
        head = b""
        while (line := stream.readline()) != b"\r\n":
            if not line:
                return head, None
            head += line
        if head.lower().find(b"\r\nexpect: 100-continue\r\n") >= 0:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        lines = head.decode("latin-1").splitlines()
        method, path, _ = lines[0].split(" ", 2)
        headers = dict(each.lower().split(": ", 1) for each in lines[1:] if ": " in each)
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(_chunks(stream))
        else:
            body = stream.read(int(headers.get("content-length", 0)))
        return head + b"\r\n" + body, Request(method, path)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The chunks of a body as they came, with their sizes, and the trailer."""
    while True:
        line = stream.readline()
        yield line
        if size := int(line.split(b";")[0], 16):
            yield stream.read(size + len(b"\r\n"))
            continue
        while (line := stream.readline()) != b"\r\n":
            yield line
        yield line
        return
