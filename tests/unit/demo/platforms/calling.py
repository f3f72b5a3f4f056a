"""Calls the platform server as a connector would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

NOW = "2026-11-20T09:30:00Z"


@dataclass
class Caller:
    """Calls the server as one account of a platform."""

    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call a control path."""
        if method == "GET":
            return self.client.get(f"{self.url}/__{path}", params=body).json()
        answer = self.client.request(method, f"{self.url}/__{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reset(self) -> None:
        """Stop the clock at NOW; forget limits and faults."""
        self.control("POST", "clock", now=NOW)
        self.control("POST", "faults", rate=0)
        self.control("DELETE", "ledger")

    def tokens(self, platform: str) -> Any:
        """Return clients and tokens of a platform."""
        return self.control("GET", "tokens")[platform]

    def account(self, platform: str, number: int = 1) -> str:
        """Return the id of an account by its number."""
        return list(self.tokens(platform)["accounts"])[number - 1]

    def truth(self, platform: str, account: str) -> Any:
        """Return what the server holds of an account."""
        found = self.control("GET", "truth", platform=platform, account=account)
        return found["platforms"][platform][account]

    def call(
        self, platform: str, path: str, *, json: Any = None, token: str | None = None, **query: Any
    ) -> httpx.Response:
        """GET (or POST a body) as account 1, or with a token."""
        if token is None:
            token = self.tokens(platform)["accounts"][self.account(platform)]["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        url = f"{self.url}/{platform}/{path}"
        if json is not None:
            return self.client.post(url, params=query, json=json, headers=headers)
        return self.client.get(url, params=query, headers=headers)

    def good(self, platform: str, path: str, **query: Any) -> Any:
        """Return the body of a call that succeeds."""
        answer = self.call(platform, path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()
