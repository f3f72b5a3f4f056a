"""Access and refresh tokens of the made-up accounts and apps.

Belongs here: which token is whose, expiry, rotation, revocation. The bodies of token endpoints
belong to `apis`. All tokens are made up and depend on the seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from social_assets.demo.platforms.access.ledger import CallLedger
from social_assets.demo.platforms.world.accounts import PLATFORMS, SimulatedAccount
from social_assets.demo.platforms.world.clock import DAY, HOUR
from social_assets.demo.platforms.world.draws import Draws

APPS = 3
"""Apps (Google: projects) of each platform; accounts have granted access to the first."""
FOREVER = 10**12

_PREFIX = {"instagram": "IGAA", "facebook": "EAA", "x": "xat", "tiktok": "act.", "youtube": "ya29."}
_REFRESH = {"x": "xrt", "tiktok": "rft.", "youtube": "1//0"}
_LIFETIME = {
    "instagram": 60 * DAY,
    "facebook": 60 * DAY,
    "x": 2 * HOUR,
    "tiktok": 2 * HOUR,
    "youtube": 3_599,
}
_AGE_AT_BEGIN = 10 * DAY
"""How old Meta's long-lived tokens are when the server starts."""
_REFRESH_LIFETIME = 180 * DAY


@dataclass(slots=True, eq=False)
class TokenGrant:
    """What an account has granted to an app; or an app's own access (`account_id` is None)."""

    platform: str
    account_id: str | None
    app: int
    access: str
    refresh: str | None
    issued: float
    expires: float
    refresh_expires: float = FOREVER
    generation: int = 0
    is_revoked: bool = False

    @property
    def name(self) -> str:
        """Return the grant's name for the ledger, which is no secret."""
        return self.account_id or f"app-{self.app}"


class GrantedTokens:
    """All grants, by their tokens."""

    def __init__(self, seed: int, accounts: Iterable[SimulatedAccount], now: float) -> None:
        self.seed = seed
        self.grace_seconds = 0.0
        """How long a rotated refresh token still gives the newest pair (documented: not at all)."""
        self._by_access: dict[tuple[str, str], tuple[TokenGrant, float]] = {}
        self._by_refresh: dict[tuple[str, str], tuple[TokenGrant, int, float]] = {}
        self.grants: dict[tuple[str, str], TokenGrant] = {}
        for account in accounts:
            self._grant(account.platform, account.id, 1, now)
        for platform in PLATFORMS:
            for app in range(1, APPS + 1):
                self._grant(platform, None, app, now)

    def client(self, platform: str, app: int = 1) -> tuple[str, str]:
        """Return an app's id and secret."""
        secret = Draws(self.seed, "client", platform, app).uuid()
        return f"{platform}-client-{app}", f"client-{secret}"

    def _grant(self, platform: str, account_id: str | None, app: int, now: float) -> None:
        grant = TokenGrant(platform, account_id, app, "", None, now, FOREVER)
        self.grants[platform, grant.name] = grant
        self._renew(grant, now)
        if account_id is not None and platform in ("instagram", "facebook"):
            grant.issued -= _AGE_AT_BEGIN
            grant.expires -= _AGE_AT_BEGIN
            self._by_access[platform, grant.access] = (grant, grant.expires)

    def _renew(self, grant: TokenGrant, now: float) -> None:
        """Give the grant a new access token and, if it has none or they rotate, a refresh token.
        Earlier access tokens live until they expire.
        """
        grant.generation += 1
        platform = grant.platform
        draws = Draws(self.seed, "token", platform, grant.name, grant.generation)
        grant.access = _PREFIX[platform] + draws.uuid().replace("-", "")
        grant.issued = now
        grant.expires = FOREVER if grant.account_id is None else now + _LIFETIME[platform]
        self._by_access[platform, grant.access] = (grant, grant.expires)
        rotates = platform in ("x", "tiktok")
        if grant.account_id is not None and platform in _REFRESH and (rotates or not grant.refresh):
            grant.refresh = _REFRESH[platform] + draws.uuid().replace("-", "")
            grant.refresh_expires = now + _REFRESH_LIFETIME
            self._by_refresh[platform, grant.refresh] = (grant, grant.generation, now)

    def state(self, platform: str, access: str | None, now: float) -> TokenGrant | str:
        """Return the grant of an access token, or why it is refused: unknown, expired, revoked."""
        found = self._by_access.get((platform, access or ""))
        if found is None:
            return "unknown"
        grant, expires = found
        if grant.is_revoked:
            return "revoked"
        return "expired" if now >= min(expires, grant.expires) else grant

    def renewed(self, grant: TokenGrant, now: float) -> TokenGrant:
        """Renew a long-lived token that has no refresh token (Meta)."""
        self._renew(grant, now)
        return grant

    def refreshed(
        self, platform: str, refresh: str | None, now: float, ledger: CallLedger
    ) -> TokenGrant | None:
        """Use a refresh token; None if it is refused. A token used after its rotation revokes the
        whole grant, as OAuth 2.0's security practice has it.
        """
        found = self._by_refresh.get((platform, refresh or ""))
        if found is None:
            return None
        grant, generation, _ = found
        if grant.is_revoked or now >= grant.refresh_expires:
            return None
        if platform == "youtube":
            self._renew(grant, now)
            return grant
        if generation != grant.generation:
            if generation == grant.generation - 1 and now - grant.issued < self.grace_seconds:
                return grant
            grant.is_revoked = True
            ledger.violate(
                "refresh token used after its rotation",
                platform=platform,
                credential=grant.name,
                at=now,
            )
            return None
        self._renew(grant, now)
        return grant

    def revoke(self, platform: str, account_id: str) -> None:
        """Revoke what an account has granted."""
        self.grants[platform, account_id].is_revoked = True

    def expire(self, platform: str, account_id: str, now: float) -> None:
        """Let the access token of an account expire now."""
        grant = self.grants[platform, account_id]
        grant.expires = now
        self._by_access[platform, grant.access] = (grant, now)

    def consent(self, platform: str, account_id: str, now: float) -> None:
        """Grant access again after a revocation: new tokens."""
        grant = self.grants[platform, account_id]
        grant.is_revoked = False
        grant.refresh = None
        self._renew(grant, now)

    def listed(self) -> dict[str, Any]:
        """Return clients and tokens by platform: what a person would paste in."""
        return {
            platform: {
                "clients": [
                    dict(
                        zip(("client_id", "client_secret"), self.client(platform, app), strict=True)
                    )
                    for app in range(1, APPS + 1)
                ],
                "app_tokens": [
                    self.grants[platform, f"app-{app}"].access for app in range(1, APPS + 1)
                ],
                "accounts": {
                    name: {
                        "access_token": grant.access,
                        "refresh_token": grant.refresh,
                        "expires_at": grant.expires,
                        "is_revoked": grant.is_revoked,
                    }
                    for (of, name), grant in self.grants.items()
                    if of == platform and grant.account_id is not None
                },
            }
            for platform in PLATFORMS
        }
