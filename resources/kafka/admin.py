"""Queries to a cluster with a time limit: kafka-python's admin client, one for a process.

Belongs here: keeping the client, reconnecting, time limits, and the reason why a cluster cannot be
reached. The queries belong to `resource`.

kafka-python's calls have no time limit: each runs in a thread, which its caller leaves when the
time is up. The thread then ends by the client's request timeout.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from resources.kafka.settings import (
    BOOTSTRAP_SERVERS,
    SASL_PASSWORD,
    SECURITY_PROTOCOL,
    KafkaSettings,
)

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

T = TypeVar("T")

_REQUEST_SECONDS = 10
_RETRY_SECONDS = 0.05
_BACKOFF_SECONDS = 1


class KafkaUnreachableError(ConnectionError):
    """No broker answers in time; the text names what was tried and the settings to check."""

    def __init__(self, servers: str, doing: str, seconds: float, cause: object = None) -> None:
        reason = f" ({cause})" if cause else ""
        super().__init__(
            f"no answer from Kafka at {servers} within {seconds:g} s, {doing}{reason}. Is the "
            f"broker up (`social-assets kafka start` for the home's own)? Else check "
            f"{BOOTSTRAP_SERVERS}, {SECURITY_PROTOCOL} and {SASL_PASSWORD}"
        )


class _LastTrouble(logging.Handler):
    """Keeps the errors that kafka-python logs, which its exceptions do not tell."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


_trouble = _LastTrouble()


class _Connection:
    """The client of one cluster, created at the first use."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._making = threading.Lock()
        self._client: KafkaAdminClient | None = None
        self.is_closed = False

    def client(self) -> KafkaAdminClient:
        """The connected client. Waits for the cluster without limit, as do other callers."""
        with self._making:
            if self._client is None:
                self._client = self._connect()
                if self.is_closed:
                    self._client.close()
            return self._client

    def close(self) -> None:
        self.is_closed = True
        if self._client is not None:
            self._client.close()

    def _connect(self) -> KafkaAdminClient:
        # Imported here: it takes 0.3 s, which processes that do not use Kafka can save.
        from kafka.admin import KafkaAdminClient

        return KafkaAdminClient(
            **self.settings.for_kafka_python(),
            client_id="social-assets",
            # None: one client that goes on trying, where each new one would leave a thread behind.
            bootstrap_timeout_ms=None,
            request_timeout_ms=_REQUEST_SECONDS * 1000,
            reconnect_backoff_max_ms=_BACKOFF_SECONDS * 1000,
        )


_lock = threading.Lock()
_connections: dict[KafkaSettings, _Connection] = {}
os.register_at_fork(after_in_child=_connections.clear)


def ask(settings: KafkaSettings, doing: str, seconds: float, question: Callable[[Any], T]) -> T:
    """The result of `question` with the admin client; repeated until there is one.

    Returns or raises within `seconds`: KafkaUnreachableError, whose text names the operation, or
    the cluster's error.
    """
    deadline = time.monotonic() + seconds
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            answers.put((_answer(settings, question, deadline), None))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            answers.put((None, error))

    threading.Thread(target=work, name="kafka-question", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except Empty:
        raise KafkaUnreachableError(settings.servers, doing, seconds, _trouble.text) from None
    if error is None:
        return answer  # type: ignore[return-value]
    if isinstance(error, ConnectionError):
        raise KafkaUnreachableError(settings.servers, doing, seconds, error) from error
    raise error


def _answer(settings: KafkaSettings, question: Callable[[Any], T], deadline: float) -> T:
    while True:
        connection = _connection(settings)
        try:
            return question(connection.client())
        except Exception as error:
            # Closed by another question that got no answer: this one goes on to the next client.
            if not _is_passing(error) and not connection.is_closed:
                raise
            if time.monotonic() + _RETRY_SECONDS > deadline:
                _forget(connection)
                raise ConnectionError(str(error) or type(error).__name__) from error
            time.sleep(_RETRY_SECONDS)


def _is_passing(error: BaseException) -> bool:
    """Whether the cluster may answer the same query a moment later."""
    from kafka.errors import RetriableError, UnknownBrokerIdError, UnknownTopicOrPartitionError

    if isinstance(error, UnknownTopicOrPartitionError):
        return False
    return isinstance(error, RetriableError | UnknownBrokerIdError | OSError)


def _connection(settings: KafkaSettings) -> _Connection:
    with _lock:
        connection = _connections.get(settings)
        if connection is None:
            _keep_quiet()
            for other in _connections.values():
                threading.Thread(target=other.close, daemon=True).start()
            _connections.clear()
            connection = _connections[settings] = _Connection(settings)
        return connection


def _forget(connection: _Connection) -> None:
    """Forget the client: the next query connects again, as the cluster may have moved."""
    with _lock:
        if _connections.get(connection.settings) is connection:
            del _connections[connection.settings]
    threading.Thread(target=connection.close, daemon=True).start()


def _keep_quiet() -> None:
    """What goes wrong shows in our errors, and a level of debug would log the password."""
    logger = logging.getLogger("kafka")
    if _trouble not in logger.handlers:
        logger.addHandler(_trouble)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
