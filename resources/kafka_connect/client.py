"""Asks a worker of Kafka Connect, over its REST interface.

Belongs here: the requests and their errors. What a connector is to do belongs to whoever asks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_REQUEST_SECONDS = 30.0
_REBALANCE_SECONDS = 60.0
_RETRY_SECONDS = 0.2
_NOT_FOUND = 404
_CONFLICT = 409
_ERROR = 400
_LONGEST_TEXT = 2000


class ConnectError(RuntimeError):
    """Kafka Connect does not run, or refuses; the text says why and what to do."""


@dataclass(frozen=True)
class ConnectorState:
    """RUNNING, STOPPED, PAUSED, FAILED or UNASSIGNED: of the connector, and of its one task.

    `task` is empty if there is none. `trace` begins with the reason if one of them failed.
    """

    connector: str
    task: str
    trace: str

    @property
    def is_failed(self) -> bool:
        """Whether it has given up."""
        return "FAILED" in (self.connector, self.task)

    @property
    def is_running(self) -> bool:
        """Whether its task works."""
        return self.connector == self.task == "RUNNING"


@dataclass(frozen=True)
class ConnectClient:
    """One worker, at `url`."""

    url: str
    user: str
    _password: str

    def __repr__(self) -> str:
        return f"ConnectClient({self.url})"

    def is_healthy(self) -> bool:
        """Whether the worker has read its topics and takes requests."""
        import httpx

        try:
            return bool(self._send("GET", "/health").is_success)
        except httpx.TransportError:
            # Nobody there yet: what this function is asked.
            return False

    def connectors(self) -> list[str]:
        """The names of all connectors."""
        return sorted(self._ask("GET", "/connectors"))

    def config(self, name: str) -> dict[str, str] | None:
        """A connector's configuration; None if there is no such connector."""
        found: dict[str, str] | None = self._ask("GET", f"/connectors/{name}/config")
        return found

    def create_stopped(self, name: str, config: Mapping[str, str]) -> None:
        """Register a connector that does nothing yet."""
        body = {"name": name, "config": dict(config), "initial_state": "STOPPED"}
        self._ask("POST", "/connectors", body)

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Replace a connector's configuration."""
        self._ask("PUT", f"/connectors/{name}/config", dict(config))

    def state(self, name: str) -> ConnectorState | None:
        """What a connector does; None if there is no such connector, or no state of it yet."""
        found = self._ask("GET", f"/connectors/{name}/status")
        if found is None:
            return None
        task: Mapping[str, Any] = next(iter(found["tasks"]), {})
        trace = str(found["connector"].get("trace") or task.get("trace") or "")
        return ConnectorState(found["connector"]["state"], str(task.get("state") or ""), trace)

    def has_offsets(self, name: str) -> bool:
        """Whether a connector has recorded how far it has come."""
        found = self._ask("GET", f"/connectors/{name}/offsets")
        return bool(found and found["offsets"])

    def stop(self, name: str, seconds: float = _REBALANCE_SECONDS) -> None:
        """Stop a connector, and wait until its task has ended. It stays registered."""
        self._ask("PUT", f"/connectors/{name}/stop")
        deadline = time.monotonic() + seconds
        while (state := self.state(name)) and (state.connector != "STOPPED" or state.task):
            if time.monotonic() > deadline:
                raise ConnectError(
                    f"the connector {name} has not stopped within {seconds:.0f} s: it is "
                    f"{state.connector}, its task {state.task}. Stop the worker, start it, and "
                    "try again: social-assets cdc stop; social-assets cdc start"
                )
            time.sleep(_RETRY_SECONDS)

    def forget_offsets(self, name: str) -> None:
        """Have a stopped connector begin anew."""
        self._ask("DELETE", f"/connectors/{name}/offsets")

    def resume(self, name: str) -> None:
        """Have a stopped connector go on; one that works is left alone."""
        self._ask("PUT", f"/connectors/{name}/resume")

    def restart(self, name: str) -> None:
        """Have a connector that failed try again."""
        self._ask("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")

    def restart_failed(self) -> list[str]:
        """Have all connectors that failed try again; their names."""
        failed = [name for name in self.connectors() if (s := self.state(name)) and s.is_failed]
        for name in failed:
            self.restart(name)
        return failed

    def delete(self, name: str) -> None:
        """Remove a connector; nothing if there is none."""
        self._ask("DELETE", f"/connectors/{name}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer; None if there is no such thing. Waits while the worker rearranges itself."""
        import httpx

        deadline = time.monotonic() + _REBALANCE_SECONDS
        while True:
            try:
                answer = self._send(method, path, body)
            except httpx.TransportError as error:
                raise ConnectError(
                    f"no answer from Kafka Connect at {self.url} to {method} {path} ({error!r}). "
                    "Is it up (`social-assets cdc start` for the home's own)?"
                ) from error
            if answer.status_code != _CONFLICT or time.monotonic() > deadline:
                break
            time.sleep(_RETRY_SECONDS)
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.status_code >= _ERROR:
            raise ConnectError(
                f"Kafka Connect at {self.url} refuses {method} {path} ({answer.status_code}): "
                f"{_message(answer)}"
            )
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        import httpx

        return httpx.request(
            method,
            self.url + path,
            json=body,
            auth=(self.user, self._password),
            timeout=_REQUEST_SECONDS,
            # Loopback: never by a proxy that the environment names.
            trust_env=False,
        )


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])[:_LONGEST_TEXT]
    except (ValueError, KeyError, TypeError):
        return answer.text[:_LONGEST_TEXT]
