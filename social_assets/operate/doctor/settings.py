"""The doctor's examination of the settings: environment, contracts, alerts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from resources.settings import environments
from resources.settings.home import Home
from resources.settings.variables import unknown
from social_assets.operate.doctor.diagnostic import Diagnostic, error, ok, warn


def environment(home: Home) -> Iterator[Diagnostic]:
    """The kind of installation, missing settings, and variables that nothing reads."""
    try:
        lacking = environments.missing()
        kind = environments.current()
    except environments.EnvironmentSettingsError as problem:
        yield error("environment", str(problem), f"correct {environments.VARIABLE}")
        return
    for name, meaning in lacking.items():
        yield error(
            "environment", f"{name} is not set, and {kind} falls back to nothing", f"set {meaning}"
        )
    for name, meant in unknown().items():
        remedy = f"did you mean {meant}?" if meant else "unset it, or correct its name"
        yield warn("environment", f"{name} is set, and nothing reads it", remedy)
    if not lacking:
        yield ok("environment", f"{kind}, home {home.path}")


def contracts(home: Home) -> Iterator[Diagnostic]:
    """Whether every contract loads, and whether files wait for a stream without contract."""
    from social_assets.contracts.registry import registered
    from social_assets.pipeline.files.landing_folder import FAILED, Landing

    found = registered()
    names = [contract.name for contract in found.contracts]
    yield ok("contracts", f"{len(names)}: {', '.join(names)}")
    for each in found.broken:
        yield error("contracts", f"{each.place}, stream {each.stream}: {each.reason}", each.remedy)
    for name in names:
        failed = Landing(home.landing, name).failed()
        if failed:
            yield warn(
                "landing",
                f"{len(failed)} files of {name} could not be read, such as {failed[0].name}",
                f"mend them and drop them into {home.landing / name}, or remove them from "
                f"{home.landing / name / FAILED}",
            )
    others = {p.name for p in home.landing.iterdir()} if home.landing.is_dir() else set()
    for name in sorted(others - {*names, *(each.key for each in found.broken)}):
        yield warn(
            "landing",
            f"{home.landing / name} is of no stream",
            f"move it into a folder of a stream: {', '.join(names)}",
        )


def dagster_profile(home: Home) -> Iterator[Diagnostic]:
    """Whether the home's `dagster.yaml` is current; a deployed installation has its own."""
    from social_assets.operate.runs import dagster_profile as profiles

    profile = profiles.profile_of(home)
    if environments.current().is_deployed or not profile.exists():
        return
    if profiles.is_outdated(home):
        yield ok("dagster.yaml", "of an earlier release; the next command replaces it")
    elif not profiles.is_edited(home):
        yield ok("dagster.yaml", "the current one")
    elif lacking := profiles.missing_settings(home):
        yield warn(
            "dagster.yaml",
            f"{profile} was edited, and lacks {', '.join(lacking)}",
            f"copy these from {profiles.current_profile()}; or remove {profile}, and the next "
            "command makes it anew",
        )
    else:
        yield ok("dagster.yaml", "edited; lacks no setting")


def alerts(home: Home) -> Iterator[Diagnostic]:
    """Whether there are alert channels, and whether they accept messages."""
    from social_assets.alerts.channels import URLS, AlertUrlError, Routing
    from social_assets.alerts.dispatch import journal_of
    from social_assets.alerts.message import UI_URL

    try:
        channels = Routing.from_environment().channels
    except AlertUrlError as problem:
        yield error("alerts", str(problem), "correct the variable")
        return
    if not channels:
        yield warn("alerts", "nobody is told of failures", f"set {URLS} to URLs of Apprise")
        return
    yield ok("alerts", ", ".join(channel.name for channel in channels))
    if not os.environ.get(UI_URL):
        yield warn("alerts", "alerts have no links", f"set {UI_URL} to where the Dagster UI is")
    for each in journal_of(home).undelivered().values():
        hours = (time.time() - each.since) / 3600
        yield error(
            "alerts",
            f"{each.name} has taken nothing for {hours:.1f} h: {each.error}",
            "correct its URL, then try it with `social-assets alerts test`",
        )
