"""One dispatch of alerts: compare with what each channel was told, send the changes, record them.

Belongs here: the order of these steps. A channel that refuses a message is tried again with growing
pauses. After some tries this is an active alert itself, and the other channels are told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from resources.settings.home import Home
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.alerts.changes import Changes, changes_since
from social_assets.alerts.channels import Channel, Routing
from social_assets.alerts.deliver import deliver
from social_assets.alerts.journal import Journal, Undelivered
from social_assets.alerts.message import UI_URL, Message, Reason, message

TRIES_UNTIL_TOLD = 3
"""After so many failed tries, the channel itself becomes an active alert."""

_AT_ONCE = 8


class UndeliveredError(RuntimeError):
    """Channels refused their alerts; the text gives each name and reason, without secrets."""


@dataclass(frozen=True)
class Dispatch:
    """The result of one dispatch."""

    active: int
    told: tuple[str, ...]
    refused: tuple[Undelivered, ...]
    waiting: tuple[Undelivered, ...]
    nobodys: int

    def summary(self) -> str:
        """The result in one line."""
        parts = [f"{self.active} active alerts" if self.active else "no active alerts"]
        parts += [f"told {', '.join(self.told)}"] if self.told else []
        parts += [f"{self.nobodys} concern no channel"] if self.nobodys else []
        parts += [
            f"{each.name} failed {each.tries} times ({each.error}), next try in "
            f"{max(0, each.next_try - time.time()):.0f} s"
            for each in self.waiting
        ]
        return "; ".join(parts)

    def raise_refused(self) -> None:
        """Raise UndeliveredError if a channel refused its message."""
        if self.refused:
            raise UndeliveredError(
                "; ".join(
                    f"{each.name} did not take an alert ({each.error}), try {each.tries}; next in "
                    f"{each.next_try - time.time():.0f} s"
                    for each in self.refused
                )
                + ". `social-assets alerts test` tries every channel"
            )


def journal_of(home: Home) -> Journal:
    """The journal of a home."""
    return Journal(home.path / "alerts" / "journal.sqlite")


def dispatch(
    observed: Observation,
    routing: Routing,
    journal: Journal,
    *,
    place: str,
    reason: Reason,
    now: float | None = None,
) -> Dispatch:
    """Tell every channel what has changed since its last message.

    `place` is the installation's name, `now` the time in seconds. A change counts as told only
    after its channel has accepted the message.
    """
    moment = time.time() if now is None else now
    journal.forget_others(routing.channels)
    undelivered = journal.undelivered()
    current = Observation((*observed.active, *_deaf(undelivered, routing)), observed.blind)
    due: dict[Channel, Changes] = {}
    waiting: list[Undelivered] = []
    for channel in routing.channels:
        concerned = [f for f in current.active if _concerns(f, channel, routing)]
        fresh = changes_since(current, concerned, journal.told(channel))
        held = undelivered.get(channel.id)
        if fresh and held and held.next_try > moment:
            waiting.append(held)
        elif fresh:
            due[channel] = fresh
    told, refused = _tell(due, journal, place, reason, moment)
    return Dispatch(
        active=len(current.active),
        told=tuple(told),
        refused=tuple(refused),
        waiting=tuple(waiting),
        nobodys=sum(not routing.of(failure) for failure in current.active),
    )


def _tell(
    due: Mapping[Channel, Changes], journal: Journal, place: str, reason: Reason, moment: float
) -> tuple[list[str], list[Undelivered]]:
    """Send to all channels at the same time, and record each answer when it arrives."""
    told: list[str] = []
    refused: list[Undelivered] = []
    ui_url = os.environ.get(UI_URL, "")
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        sent: dict[Future[str], tuple[Channel, Changes]] = {}
        for channel, fresh in due.items():
            words: Message = message(fresh, place, ui_url, reason)
            sent[pool.submit(deliver, channel, words)] = (channel, fresh)
        for answer in as_completed(sent):
            channel, fresh = sent[answer]
            error = answer.result()
            if error:
                refused.append(journal.record_undelivered(channel, error, moment))
            else:
                journal.record_delivered(channel, fresh, moment)
                told.append(channel.name)
    return told, refused


def _deaf(undelivered: Mapping[str, Undelivered], routing: Routing) -> list[ActiveAlert]:
    names = {channel.id: channel.name for channel in routing.channels}
    return [
        ActiveAlert(
            key=f"channel/{each.channel}",
            kind=FailureKind.CHANNEL,
            severity=Severity.ERROR,
            title=f"{names[each.channel]} takes no alerts",
            detail=each.error,
            remedy="correct the URL or the service, then run `social-assets alerts test`",
        )
        for each in undelivered.values()
        if each.tries >= TRIES_UNTIL_TOLD and each.channel in names
    ]


def _concerns(failure: ActiveAlert, channel: Channel, routing: Routing) -> bool:
    return failure.key != f"channel/{channel.id}" and channel.id in routing.of(failure)
