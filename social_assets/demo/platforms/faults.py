"""Faults at a chosen rate.

Belongs here: whether a call meets a fault, and which. It depends on the seed, the request and how
often that was made, and not on what happens at the same time. How a fault is answered belongs to
`server`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

from social_assets.demo.platforms.world.draws import Draws

Fault = Literal[
    "throttled",
    "error_500",
    "error_502",
    "error_503",
    "slow",
    "cut",
    "invalid_json",
    "wrong_types",
    "wrong_field",
    "repeated_page",
    "falling_counters",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
BEFORE_THE_CALL: tuple[Fault, ...] = ("throttled", "error_500", "error_502", "error_503", "slow")
"""The faults of token endpoints: the token has not rotated when the caller sees one."""


@dataclass(slots=True)
class FaultPlan:
    """How many calls meet a fault, and the weights of the faults. `wrong_field` (one
    counter of a page is a word) has none, unless it is asked for.
    """

    seed: int
    rate: float = 0.0
    weights: dict[Fault, float] = field(
        default_factory=lambda: dict.fromkeys(FAULTS, 1.0) | {"wrong_field": 0.0}
    )
    platforms: tuple[str, ...] = ()
    """Those that have faults; none named: all."""
    slow_seconds: float = 0.3
    met: Counter[str] = field(default_factory=Counter)
    _times: Counter[str] = field(default_factory=Counter)

    def of(self, platform: str, request: str, *, is_token_call: bool) -> Fault | None:
        """Return the fault that this call meets."""
        if not self.rate or (self.platforms and platform not in self.platforms):
            return None
        self._times[request] += 1
        draws = Draws(self.seed, "fault", request, self._times[request])
        if not draws.is_true(self.rate):
            return None
        known = BEFORE_THE_CALL if is_token_call else FAULTS
        weights = {fault: self.weights.get(fault, 0.0) for fault in known}
        place = draws.share() * sum(weights.values())
        for fault, weight in weights.items():
            place -= weight
            if place < 0:
                self.met[f"{platform} {fault}"] += 1
                return fault
        return None
