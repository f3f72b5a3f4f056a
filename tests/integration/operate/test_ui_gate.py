"""The gate of the Dagster UI accepts only its user: Dagster's webserver, over a socket."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from resources.machine.ports import free_port
from resources.settings.home import Home
from resources.web.token import HOSTS, token_file, ui_token
from social_assets.operate.runs.instance import use_home
from social_assets.operate.ui.webserver import MODULE

JSON = {"Content-Type": "application/json"}
QUERY = json.dumps({"query": "{ version }"})
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
FOREIGN = "http://evil.example"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Ui:
    """A running webserver, and its token."""

    home: Home
    port: int
    pid: int
    token: str
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] = {}, body: str | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            found = connection.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read().decode())

    def cookie(self) -> dict[str, str]:
        given = self.ask("GET", f"/?token={self.token}", PAGE).headers["set-cookie"]
        return {"Cookie": given.split(";")[0]}

    def websocket_status(self, headers: Mapping[str, str]) -> int:
        key = base64.b64encode(os.urandom(16)).decode()
        asked = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Protocol": "graphql-ws",
            "Host": f"127.0.0.1:{self.port}",
            **headers,
        }
        lines = [f"{name}: {value}" for name, value in asked.items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            text = "\r\n".join(["GET /graphql HTTP/1.1", *lines, "", ""])
            connection.sendall(text.encode())
            return int(connection.recv(4096).split()[1])


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    folder = tmp_path_factory.mktemp("ui")
    home, port, log = Home(folder / "home"), free_port(), folder / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("SOCIAL_ASSETS_HOME", "")
        patch.setenv(HOSTS, "ui.example.org")
        use_home(home)
        with log.open("w") as file:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", MODULE, "--empty-workspace", "-p", str(port)),
                    *("--uvicorn-log-level", "info"),
                ],
                stdout=file,
                stderr=file,
            )
    found = Ui(home, port, server.pid, ui_token(home), log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(found):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield found
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _answers(ui: Ui) -> bool:
    with contextlib.suppress(ConnectionError):
        return ui.ask("GET", "/server_info", ui.bearer).status == 200
    return False


def test_a_program_with_the_token_is_answered(ui: Ui) -> None:
    answer = ui.ask("POST", "/graphql", {**JSON, **ui.bearer}, QUERY)
    assert answer.status == 200
    assert "version" in json.loads(answer.body)["data"]


@pytest.mark.parametrize(
    "path", ["/", "/graphql", "/server_info", "/runs", "/logs/x/compute_logs/y/err", "/favicon.png"]
)
def test_nothing_is_shown_without_the_token(ui: Ui, path: str) -> None:
    assert ui.ask("GET", path).status == 401
    assert ui.ask("GET", path, {"Authorization": "Bearer wrong"}).status == 401


def test_the_token_of_the_address_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(
    ui: Ui,
) -> None:
    answer = ui.ask("GET", f"/runs?token={ui.token}&view=all", PAGE)
    cookie = answer.headers["set-cookie"]
    assert answer.status == 200
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ui.token not in cookie
    assert ui.token not in answer.body
    assert "url=/runs?view=all" in answer.body
    assert ui.ask("GET", "/runs", {**PAGE, **ui.cookie()}).status == 200


def test_a_wrong_token_leads_to_the_page_that_says_what_to_do(ui: Ui) -> None:
    answer = ui.ask("GET", "/?token=wrong", PAGE)
    assert answer.status == 401
    assert "social-assets dev --print-url" in answer.body
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:3000", "10.0.0.1", "", "localhost.", "[::2]"]
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(ui: Ui, host: str) -> None:
    headers = {**ui.bearer, **JSON, "Host": host}
    assert ui.ask("POST", "/graphql", headers, QUERY).status in (400, 403)
    assert ui.ask("GET", f"/?token={ui.token}", {**PAGE, "Host": host}).status in (400, 403)


@pytest.mark.parametrize("host", ["localhost:3000", "[::1]:3000", "LOCALHOST", "ui.example.org"])
def test_names_of_loopback_and_those_configured_are_served(ui: Ui, host: str) -> None:
    assert ui.ask("POST", "/graphql", {**ui.bearer, **JSON, "Host": host}, QUERY).status == 200


@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", "http://127.0.0.1:1", "http://localhost", "file://", "http://["]
)
def test_a_page_of_another_site_or_port_is_refused_even_with_the_cookie(
    ui: Ui, origin: str
) -> None:
    headers = {**ui.cookie(), **JSON, "Origin": origin}
    assert ui.ask("POST", "/graphql", headers, QUERY).status == 403
    assert ui.websocket_status({**ui.cookie(), "Origin": origin}) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_its_browser_calls_foreign_is_refused(ui: Ui, site: str) -> None:
    headers = {**ui.cookie(), **JSON, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
    assert ui.ask("POST", "/graphql", headers, QUERY).status == 403
    image = {**ui.cookie(), "Sec-Fetch-Site": site, "Sec-Fetch-Dest": "image"}
    assert ui.ask("GET", "/server_info", image).status == 403


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "text/plain; application/json",
        "text/plain;x=application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/graphql",
        "",
    ],
)
def test_a_form_that_any_page_may_send_is_refused(ui: Ui, media: str) -> None:
    headers = {**ui.cookie(), "Content-Type": media}
    assert ui.ask("POST", "/graphql", headers, QUERY).status == 415
    assert ui.ask("POST", "/report_asset_materialization/x", headers, "{}").status == 415


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "//graphql"])
def test_graphql_is_not_run_by_get(ui: Ui, path: str) -> None:
    mutation = "mutation%20%7B%20terminateRun(runId:%22x%22)%20%7B%20__typename%20%7D%20%7D"
    for headers in (ui.cookie(), ui.bearer):
        assert ui.ask("GET", f"{path}?query={mutation}", headers).status in (404, 405)
        assert ui.ask("GET", f"{path}?%71uery={mutation}", headers).status in (404, 405)


@pytest.mark.parametrize("kind", ["materialization", "check", "observation"])
def test_reports_of_assets_need_the_token_and_our_own_page(ui: Ui, kind: str) -> None:
    path = f"/report_asset_{kind}/raw/posts?check_name=x&passed=true"
    assert ui.ask("POST", path, JSON, "{}").status == 401
    assert ui.ask("POST", path, {**JSON, "Origin": FOREIGN, **ui.cookie()}, "{}").status == 403
    assert ui.ask("POST", path).status == 401


def test_a_websocket_needs_the_cookie_and_the_origin_of_the_ui(ui: Ui) -> None:
    assert ui.websocket_status({**ui.cookie(), "Origin": ui.origin}) == 101
    assert ui.websocket_status({"Origin": ui.origin}) == 403
    assert ui.websocket_status(ui.cookie()) == 403
    assert ui.websocket_status(ui.bearer) == 101
    rebound = {**ui.cookie(), "Host": "evil.example", "Origin": FOREIGN}
    assert ui.websocket_status(rebound) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/logs/../../private.csv",
        "/logs/%2e%2e/%2e%2e/private/csv",
        "/logs/..%2f..%2fprivate/csv",
        "/logs/x/../../../private/out",
        "/logs/x/compute_logs/private/csv",
        "//logs/x/compute_logs/private/csv",
        "/notebook?path=/tmp/x.ipynb&repoLocName=x",
        "/dagit/notebook?path=/tmp/x.ipynb&repoLocName=x",
    ],
)
def test_files_beside_the_logs_of_runs_are_not_served(ui: Ui, path: str) -> None:
    (ui.home.dagster / "private.csv").write_text("secret words")
    answer = ui.ask("GET", path, ui.bearer)
    assert answer.status in (400, 404)
    assert "secret words" not in answer.body


def test_the_ui_is_not_shown_in_a_frame(ui: Ui) -> None:
    assert ui.ask("GET", "/", {**PAGE, **ui.cookie()}).headers["x-frame-options"] == "DENY"


def test_a_link_in_a_mail_leads_into_the_ui_by_a_navigation_of_its_own(ui: Ui) -> None:
    """A browser does not send the cookie in a navigation that another site began."""
    answer = ui.ask("GET", "/runs/abc", {**PAGE, "Sec-Fetch-Site": "cross-site"})
    assert answer.status == 200
    assert "url=/runs/abc" in answer.body
    assert "Dagster UI" in answer.body
    evil = ui.ask("GET", "//evil.example/x", {**PAGE, "Sec-Fetch-Site": "cross-site"})
    assert "url=/evil.example" in evil.body


def test_the_token_is_the_owners_alone_and_stands_in_no_log_and_no_argument(ui: Ui) -> None:
    ui.ask("GET", f"/?token={ui.token}", PAGE)
    ui.ask("GET", "/?token=wrong-but-secret", PAGE)
    assert token_file(ui.home).stat().st_mode & 0o777 == 0o600
    assert '"GET / HTTP/1.1"' in ui.log.read_text()
    assert ui.token not in ui.log.read_text()
    assert "wrong-but-secret" not in ui.log.read_text()
    assert ui.token not in Path(f"/proc/{ui.pid}/cmdline").read_text()
