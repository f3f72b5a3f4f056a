"""The control paths of the server, for tests and the demo: `/__truth`, `/__clock` and so on.

Belongs here: reading and changing the simulation over HTTP. These paths belong to no platform.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from inspect import isawaitable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.types import Scope

from social_assets.demo.platforms.apis.answers import ApiAnswer, JsonObject, Platforms
from social_assets.demo.platforms.faults import FaultPlan
from social_assets.demo.platforms.pictures.answer import PictureServer
from social_assets.demo.platforms.pushes.deliveries import Deliveries
from social_assets.demo.platforms.world.clock import SimulatedClock, parsed, zulu
from social_assets.demo.platforms.world.truth import truth
from social_assets.demo.platforms.world.world import UnknownIdError


class ServerControl:
    """Answers the paths that begin with two underscores."""

    def __init__(
        self,
        platforms: Platforms,
        clock: SimulatedClock,
        faults: FaultPlan,
        pictures: PictureServer,
    ) -> None:
        self._all = platforms
        self._clock = clock
        self._faults = faults
        self._pictures = pictures
        self._deliveries = Deliveries(platforms.world)
        self._paths: dict[str, Callable[[JsonObject], Any]] = {
            "GET __truth": self._truth,
            "GET __clock": lambda _: self._clock_now(),
            "POST __clock": self._set_clock,
            "GET __ledger": lambda _: self._all.ledger.report(),
            "DELETE __ledger": self._clear_ledger,
            "GET __limits": lambda _: self._limits(),
            "POST __limits": self._set_limits,
            "GET __faults": lambda _: self._faults_now(),
            "POST __faults": self._set_faults,
            "GET __tokens": lambda _: self._all.tokens.listed(),
            "POST __tokens": self._change_token,
            "GET __pictures": lambda _: dict(self._pictures.asked),
            "POST __mutate": self._mutate,
            "POST __options": self._set_options,
            "GET __webhooks": lambda _: self._deliveries.report(),
            "POST __webhooks": self._deliveries.subscribe,
            "POST __deliver": lambda to: self._deliveries.deliver(to, self._clock.now()),
        }

    async def answer(self, scope: Scope, first: str, body: bytes) -> ApiAnswer:
        """Answer a control request; its arguments are the query and the JSON body."""
        arguments: JsonObject = dict(parse_qsl(scope["query_string"].decode()))
        path = f"{scope['method']} {first}"
        handler = self._paths.get(path)
        if handler is None:
            return ApiAnswer(404, {"error": "no such path", "paths": sorted(self._paths)})
        try:
            arguments |= json.loads(body or b"{}")
            done = handler(arguments)
            return ApiAnswer(200, await done if isawaitable(done) else done)
        except httpx.TransportError as error:
            return ApiAnswer(502, {"error": f"the webhook's URL does not answer: {error}"})
        except UnknownIdError as error:
            return ApiAnswer(404, {"error": str(error)})
        except (KeyError, TypeError, ValueError) as error:
            return ApiAnswer(400, {"error": f"{type(error).__name__}: {error}"})

    def _truth(self, of: JsonObject) -> JsonObject:
        now = float(parsed(of["at"])) if "at" in of else self._clock.now()
        return truth(self._all.world, now, of.get("platform"), of.get("account"))

    def _clock_now(self) -> JsonObject:
        now = self._clock.now()
        return {"now": zulu(now), "unix": now, "rate": self._clock.rate}

    def _set_clock(self, to: JsonObject) -> JsonObject:
        """`now` sets the time, `advance_seconds` moves it; `rate` 0, the default, stops it."""
        now = float(parsed(str(to["now"]))) if "now" in to else self._clock.now()
        self._clock.set(now + float(to.get("advance_seconds", 0)), float(to.get("rate", 0.0)))
        return self._clock_now()

    def _clear_ledger(self, _: JsonObject) -> JsonObject:
        self._all.ledger.clear()
        return {}

    def _limits(self) -> JsonObject:
        return {
            name: {"calls": limit.calls, "seconds": limit.seconds}
            for name, limit in self._all.ledger.limits.items()
        }

    def _set_limits(self, to: JsonObject) -> JsonObject:
        """Set `{"x.users_tweets.user": {"calls": 5, "seconds": 2}}`."""
        for name, value in to.items():
            self._all.ledger.change_limit(name, int(value["calls"]), value.get("seconds"))
        return self._limits()

    def _faults_now(self) -> JsonObject:
        plan = self._faults
        return {"rate": plan.rate, "kinds": dict(plan.weights), "met": dict(plan.met)}

    def _set_faults(self, to: JsonObject) -> JsonObject:
        """Set the rate, the weights of kinds (those not named: 0), the platforms."""
        plan = self._faults
        plan.rate = float(to.get("rate", plan.rate))
        if "kinds" in to:
            unknown = set(to["kinds"]) - set(plan.weights)
            if unknown:
                raise ValueError(f"no such faults: {', '.join(unknown)}")
            plan.weights = {name: float(to["kinds"].get(name, 0)) for name in plan.weights}
        plan.platforms = tuple(to.get("platforms", plan.platforms))
        plan.slow_seconds = float(to.get("slow_seconds", plan.slow_seconds))
        return self._faults_now()

    def _change_token(self, to: JsonObject) -> JsonObject:
        """Do `action` (expire, revoke, consent) with the token of `platform` and `account`."""
        tokens, now = self._all.tokens, self._clock.now()
        platform, account = to["platform"], to["account"]
        match to["action"]:
            case "expire":
                tokens.expire(platform, account, now)
            case "revoke":
                tokens.revoke(platform, account)
            case "consent":
                tokens.consent(platform, account, now)
            case other:
                raise ValueError(f"action {other!r} is none of expire, revoke, consent")
        mine: JsonObject = tokens.listed()[platform]["accounts"][account]
        return mine

    def _mutate(self, to: JsonObject) -> JsonObject:
        """Change the world now: see the cases."""
        world, now, platform = self._all.world, self._clock.now(), to["platform"]
        match to["action"]:
            case "publish":
                account = world.account(platform, to["account"])
                if account is None:
                    raise UnknownIdError(f"{platform} has no account {to['account']}")
                return {"id": world.publish(account, to.get("text", "New"), now).id}
            case "comment":
                post = world.post(platform, to["post"], now)
                if post is None:
                    raise UnknownIdError(f"{platform} shows no post {to['post']}")
                text = to.get("text", "Hi")
                return {"id": world.add_comment(post, text, now, to.get("parent")).id}
            case "delete_post":
                world.delete_post(platform, to["post"], now)
            case "delete_comment":
                world.delete_comment(platform, to["comment"], now)
            case "fall":
                world.fall(platform, to["post"], now)
            case "account":
                gone = int(now) if to.get("is_deleted") else None
                private = bool(to.get("is_private"))
                world.change_account(platform, to["account"], deleted_at=gone, is_private=private)
            case other:
                raise ValueError(f"no such action: {other!r}")
        return {}

    def _set_options(self, to: JsonObject) -> JsonObject:
        """Set `cursor_seconds`, `x_spelling`, `refresh_grace_seconds`, and `limit_clock`: whether
        windows are of `simulated` or `real` time.
        """
        if "limit_clock" in to:
            self._all.ledger.uses_real_time = to["limit_clock"] == "real"
        self._all.cursor_seconds = float(to.get("cursor_seconds", self._all.cursor_seconds))
        self._all.x_spelling = str(to.get("x_spelling", self._all.x_spelling))
        grace = to.get("refresh_grace_seconds", self._all.tokens.grace_seconds)
        self._all.tokens.grace_seconds = float(grace)
        return {
            "cursor_seconds": self._all.cursor_seconds,
            "x_spelling": self._all.x_spelling,
            "refresh_grace_seconds": self._all.tokens.grace_seconds,
            "limit_clock": "real" if self._all.ledger.uses_real_time else "simulated",
        }
