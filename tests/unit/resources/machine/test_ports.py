"""A server finds its port free after each start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from resources.machine import ports
from resources.machine.ports import free_port, is_free


def test_no_outgoing_connection_is_given_the_port_of_a_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outgoing = tmp_path / "ip_local_port_range"
    outgoing.write_text("10100\t65535\n")
    monkeypatch.setattr(ports, "_OUTGOING", outgoing)
    assert {free_port() // 100 for _ in range(50)} == {100}


def test_a_machine_that_gives_every_port_to_connections_has_ports_for_servers_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outgoing = tmp_path / "ip_local_port_range"
    outgoing.write_text("1024\t65535\n")
    monkeypatch.setattr(ports, "_OUTGOING", outgoing)
    assert is_free(free_port())


def test_a_machine_that_names_no_range_is_taken_as_linux_is_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ports, "_OUTGOING", tmp_path / "absent")
    assert not any(32768 <= free_port() <= 60999 for _ in range(200))


def test_a_port_that_a_server_has_is_not_free_and_one_that_it_left_is() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_if_every_port_is_taken_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port, host: False)
    with pytest.raises(OSError, match="end a server that is not needed"):
        free_port()
