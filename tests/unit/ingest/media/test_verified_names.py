"""TLS verifies the name in the URL, though the connection goes to an address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from social_assets.ingest.media.addresses import PictureUrl
from social_assets.ingest.media.fetch_pictures import NotFetchedError, connected

NAME = "pictures.example"


class Nothing(BaseHTTPRequestHandler):
    """Answers that nothing is there."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.send_header("host-was", self.headers["host"])
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of NAME, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def ask(host: str, port: int, trusted: Path) -> httpx.Response:
    """Ask a host, at an address that was checked: that of the server."""
    url = PictureUrl(httpx.URL(f"https://{host}:{port}/a"), host, port)

    async def ask_once() -> httpx.Response:
        context = ssl.create_default_context(cafile=str(trusted))
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            return await connected(client, url, ("127.0.0.1",))

    return asyncio.run(ask_once())


def test_the_connection_goes_to_the_checked_address_and_not_to_what_the_name_says_now(
    port: int, certificate: Path
) -> None:
    """No name server knows the name: it is verified and told, and not resolved again."""
    answer = ask(NAME, port, certificate)
    assert (answer.status_code, answer.headers["host-was"]) == (204, f"{NAME}:{port}")


def test_a_server_without_a_certificate_of_the_name_is_refused(
    port: int, certificate: Path
) -> None:
    with pytest.raises(NotFetchedError, match=r"connection_failed: other\.example: ConnectError"):
        ask("other.example", port, certificate)
