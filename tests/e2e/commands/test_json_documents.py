"""Every command that has `--format json` prints exactly one JSON document."""

from __future__ import annotations

import json

import click
import pytest

from resources.settings.home import Home
from social_assets.cli.main import cli, main
from tests.e2e.commands.test_command_line import LIKE, run
from tests.unit.cli.test_home_use import commands

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "accounts": (),
    "alerts show": (),
    "cdc status": (),
    "collect": (),
    "contract test": ("{file}", "--stream", "engagement_events"),
    "backfill": ("rollups/engagement_hourly",),
    "backup": ("--to", "{backups}"),
    "backups": ("--from", "{backups}"),
    "quarantine": ("engagement_events",),
    "credentials list": (),
    "deletions": (),
    "doctor": (),
    "experiments analyze": (),
    "experiments list": (),
    "features list": (),
    "features show": ("user", "u1"),
    "failed-files": ("engagement_events",),
    "forecast": (),
    "gaps": ("engagement_events",),
    "keys list": (),
    "load": ("engagement_events", "{file}"),
    "logs": (),
    "media": (),
    "metrics": (),
    "plan": (),
    "query": ("likes",),
    "rebuild-warehouse": (),
    "recsys evaluate": ("--train", "{pairs}", "--model", "popularity", "--folds", "2"),
    "recsys tune": ("--train", "{pairs}", "--model", "ease", "--trials", "2"),
    "replay": ("engagement_events",),
    "report deliveries": (),
    "report list": (),
    "report schedules": (),
    "restore": ("--from", "{backups}"),
    "search": ("river",),
    "secrets list": (),
    "sql": ("SELECT nan AS a, 1 AS b",),
    "status": (),
    "streams": (),
    "unload": ("engagement_events", "f.ndjson"),
    "webhooks urls": (),
}
"""A command that works, for each with the option; loading is first."""

SLOW = {"rebuild-warehouse", "replay", "unload"}
"""Commands that run dbt."""


def has_json(parameter: click.Parameter) -> bool:
    """Whether it is `--format` and can be `json`; that of a report's file cannot."""
    return "--format" in parameter.opts and "json" in getattr(parameter.type, "choices", ())


def test_every_command_with_the_option_is_tried() -> None:
    having = [
        name
        for name, command in commands(cli)
        # A hidden command is an old name of another.
        if not command.hidden and any(map(has_json, command.params))
    ]
    assert sorted(having) == sorted(ARGUMENTS)


@pytest.mark.parametrize(
    "name",
    [
        "load",
        *(
            pytest.param(
                name, marks=[pytest.mark.endurance] if name in ("replay", "unload") else []
            )
            for name in ARGUMENTS
            if name != "load"
        ),
    ],
)
def test_a_command_prints_one_document(
    name: str, home: Home, tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture
) -> None:
    folder = tmp_path_factory.mktemp("in")
    (folder / "f.ndjson").write_text(LIKE.format(id="a", value=1) + LIKE.format(id="b", value=-1))
    (folder / "pairs").write_text("".join(f"{n} 1 2 3 4 5 6\n" for n in range(1, 9)))
    places = {name: str(folder / name) for name in ("pairs", "backups")}
    places["file"] = str(folder / "f.ndjson")
    if name in ("backups", "restore"):
        run("--home", str(home.path), "backup", "--to", places["backups"])
        capfd.readouterr()
    home_path = folder / "restored" if name == "restore" else home.path
    if name in SLOW:  # They run apart from the load of the others.
        code = run("--home", str(home.path), "load", "engagement_events", places["file"])
        assert code in (0, 2)
        capfd.readouterr()
    given = [argument.format(**places) for argument in ARGUMENTS[name]]
    with pytest.raises(SystemExit) as ending:
        main(["--home", str(home_path), *name.split(), *given, "--format", "json"])
    told = capfd.readouterr()
    # One of two records is rejected: 2. The doctor may find errors of the test machine, a replay
    # finds checks that fail here: 1.
    rejecting = ("load", "contract test")
    assert ending.value.code == 0 or name in ("doctor", "replay", "unload", *rejecting), told.err
    json.loads(told.out, parse_constant=pytest.fail)
