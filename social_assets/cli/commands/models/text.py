"""`social-assets text ...`: trains a text model on labels, and lists and changes the champion.

Belongs here: parsing and printing. Training and promotion belong to the assets `text/challenger`
and `text/champion`, files and history to `transform.text.registry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import echo, out, progress
from social_assets.operate.runs.failures import RunFailedError

if TYPE_CHECKING:
    from resources.settings.home import Home

_LEXICON = "lexicon"
_BACKFILL = "scores: social-assets backfill text/sentiment"


@click.group(short_help="Train, promote text models.")
def text() -> None:
    """Text models: train them on the stream text_labels, list champions, go back to an earlier."""


@text.command()
@reads_home
def train(home: Home) -> None:
    """Train a challenger on the labelled texts; promote it if it is better than the champion."""
    from social_assets.operate.runs.train_texts import train_texts

    trained = train_texts(home, progress)
    out.print(str(trained.report))
    if trained.result != trained.decision:
        echo(trained.result)
    echo(trained.decision)
    if trained.is_promoted:
        click.echo(_BACKFILL, err=True)


@text.command()
@reads_home
def champions(home: Home) -> None:
    """Every version that has scored texts, oldest first, and which one scores."""
    from recsys.registry.deployment_history import champion, history
    from social_assets.transform.text.registry import models_in_force

    root = models_in_force(home)
    present = champion(root)
    deployments = history(root)
    if not deployments:
        click.echo("no model was promoted yet: the lexicon scores", err=True)
    for deployment in deployments:
        scores = "  scores" if root / deployment.model / deployment.version == present else ""
        echo(f"{deployment}{scores}")


@text.command()
@click.option("--to", "version", help="Which version, or `lexicon`; default the one before.")
@reads_home
def rollback(home: Home, version: str | None) -> None:
    """Demote the champion: an earlier version scores what is made from then on.

    Then backfill text/sentiment, so that it scores all days.
    """
    from recsys.registry.artifact import ArtifactError
    from recsys.registry.deployment_history import roll_back
    from social_assets.lake.artifacts.home_copy import publishing
    from social_assets.transform.text.registry import let_lexicon_score, models_root

    if version == _LEXICON:
        with publishing(models_root(home)):
            let_lexicon_score(models_root(home))
        echo("the lexicon scores again")
    else:
        try:
            with publishing(models_root(home)):
                folder = roll_back(models_root(home), version)
        except ArtifactError as error:
            raise RunFailedError(str(error)) from error
        echo(f"{folder.parent.name} {folder.name} scores again")
    click.echo(_BACKFILL, err=True)
