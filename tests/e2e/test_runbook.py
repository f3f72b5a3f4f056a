"""Commands, options, checks and settings in the documentation exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from resources.settings.home import Home
from resources.settings.variables import PREFIX, SETTINGS
from social_assets.cli.main import cli
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.slot_checks import SLOT_IS_READ
from social_assets.transform.validate import rules

CHECKOUT = Path(__file__).resolve().parents[2]
RUNBOOK = CHECKOUT / "docs" / "operations.md"
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def written(page: Path) -> Iterator[list[str]]:
    """The words of each `social-assets` command on a page, in code spans and blocks."""
    text = page.read_text()
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(
        r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    for line in [*(line for block in blocks for line in block.splitlines()), *spans]:
        if not line.strip().startswith("social-assets"):
            continue  # a span may be a single quote
        if not line.lstrip().startswith("social-assets "):
            continue
        words = shlex.split(re.sub(r"[\[\]\\]|\.\.\.", " ", " ".join(line.split())), comments=True)
        yield words[1:]


def unknown(words: list[str], command: click.Command = cli) -> str | None:
    """The first word that the command line does not accept."""
    options = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    while words:
        word, *words = words
        if word.startswith("-"):
            if word not in options:
                return word
            (option,) = (p for p in command.params if word in (*p.opts, *p.secondary_opts))
            words = words[0 if isinstance(option, click.Option) and option.is_flag else 1 :]
        elif isinstance(command, click.Group):
            found = command.commands.get(word)
            return word if found is None else unknown(words, found)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_written_down_is_one(page: Path) -> None:
    wrong = [" ".join(words) for words in written(page) if unknown(list(words)) is not None]
    assert wrong == []


def test_every_command_there_is_is_written_down() -> None:
    named = {words[0] for page in PAGES for words in written(page)}
    shown = {name for name, command in cli.commands.items() if not command.hidden}
    assert shown - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_written_down_is_one(page: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", page.read_text()))
    assert {name for name in named if name.split("__")[0] not in SETTINGS} == set()


def test_the_runbook_says_of_every_check_what_to_do(home: Home) -> None:
    from social_assets.locations.batch import defs

    rows = RUNBOOK.read_text().partition("## What a check means")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]*)\|", rows, re.MULTILINE))))
    of_contracts = {rule.name for contract in contracts() for rule in rules(contract)}
    there_are = {key.name for key in defs().resolve_asset_graph().asset_check_keys} - of_contracts
    assert there_are - named == set()
    assert named - there_are == {SLOT_IS_READ}, "only streams of changes have it"
