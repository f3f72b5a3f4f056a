"""The text of an alert: one message with all changes for a channel, grouped by kind.

Pure functions. If SOCIAL_ASSETS_UI_URL is set, the message links to the run and the asset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from social_assets.alerts.active import ActiveAlert, FailureKind, Severity
from social_assets.alerts.changes import Changes

UI_URL = "SOCIAL_ASSETS_UI_URL"
"""Environment variable: where people open the Dagster UI, such as https://dagster.example.org."""

SHOWN = 10
"""How many failures of a kind a message lists; chats cut longer messages."""

Reason = Callable[[str], str]
"""Returns why a run failed, by its id. Called only for the runs that the message lists."""


@dataclass(frozen=True)
class Message:
    """The text for a person. `severity` is None if all changes are recoveries."""

    title: str
    body: str
    severity: Severity | None


def message(changes: Changes, place: str, ui_url: str, reason: Reason) -> Message:
    """Write one message. `place` is the installation's name, such as `production`."""
    return Message(
        _title(changes, place), _body(changes, ui_url.rstrip("/"), reason), changes.worst
    )


def run_link(ui_url: str, run_id: str) -> str:
    """The URL of the run's page."""
    return f"{ui_url}/runs/{run_id}"


def asset_link(ui_url: str, asset: str, check: str = "") -> str:
    """The URL of the asset's page, or of the check on it if one is given."""
    address = f"{ui_url}/assets/{quote(asset)}"
    query = urlencode({"view": "checks", "checkDetail": check}) if check else ""
    return f"{address}?{query}" if query else address


def _title(changes: Changes, place: str) -> str:
    start = f"[social-assets {place}]"
    if len(changes.raised) == 1 and not changes.recovered:
        return f"{start} {changes.raised[0].severity}: {changes.raised[0].title}"
    if len(changes.recovered) == 1 and not changes.raised:
        return f"{start} recovered: {changes.recovered[0].title}"
    parts = [
        _counted(sum(f.severity is Severity.ERROR for f in changes.raised), "error"),
        _counted(sum(f.severity is Severity.WARN for f in changes.raised), "warning"),
        _counted(len(changes.recovered), "recovery", "recoveries"),
    ]
    return f"{start} {', '.join(part for part in parts if part)}"


def _body(changes: Changes, ui_url: str, reason: Reason) -> str:
    parts = []
    for kind in FailureKind:
        found = [failure for failure in changes.raised if failure.kind is kind]
        of_kind = sorted(found, key=lambda failure: failure.severity is not Severity.ERROR)
        if of_kind:
            lines = [line for f in of_kind[:SHOWN] for line in _lines(f, ui_url, reason)]
            parts.append("\n".join([f"{kind.value.capitalize()}:", *lines, *_more(of_kind)]))
    if changes.recovered:
        lines = [f"- {each.title}" for each in changes.recovered[:SHOWN]]
        parts.append("\n".join(["Recovered:", *lines, *_more(changes.recovered)]))
    return "\n\n".join(parts)


def _lines(failure: ActiveAlert, ui_url: str, reason: Reason) -> list[str]:
    why = failure.detail
    if failure.kind is FailureKind.RUN:
        why = reason(failure.run_id) or why
    lines = [f"- {failure.severity}: {failure.title}"]
    lines += [f"  {why}"] if why else []
    lines += [f"  to do: {failure.remedy}"] if failure.remedy else []
    lines += [f"  owner: {failure.owner}"] if failure.owner else []
    if not ui_url:
        lines += [f"  run {failure.run_id}"] if failure.run_id else []
        return lines
    lines += [f"  {run_link(ui_url, failure.run_id)}"] if failure.run_id else []
    lines += [f"  {asset_link(ui_url, failure.asset, failure.check)}"] if failure.asset else []
    return lines


def _more(listed: tuple[object, ...] | list[ActiveAlert]) -> list[str]:
    return [f"- and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []


def _counted(number: int, one: str, several: str = "") -> str:
    if not number:
        return ""
    return f"{number} {one if number == 1 else several or one + 's'}"
