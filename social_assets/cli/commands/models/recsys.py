"""`social-assets recsys ...`: evaluates and tunes a model on interaction files, and changes the
champion.

Belongs here: parsing and printing. Models, figures and the champion's history are in `recsys`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from social_assets.cli.home_use import needs_no_home, reads_home
from social_assets.cli.printing.terminal import FORM, echo, out, print_json, print_rows, progress
from social_assets.operate.runs.failures import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recsys.evaluation.measurement import Measurement
    from recsys.evaluation.tuning import Study
    from recsys.recommender import ScorerRecommender
    from resources.settings.home import Home

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(short_help="Train, evaluate, promote recommenders.")
def recsys() -> None:
    """Recommenders: train them, evaluate them on files, list champions, go back to an earlier."""


@recsys.command()
@click.option("--train", type=_FILE, required=True, help="Lines of `user item item ...`.")
@click.option(
    "--test", type=_FILE, help="The same; default a tenth of each user's items, held out at random."
)
@click.option("--folds", type=int, help="Cross-validate on train instead: so many folds, in turn.")
@click.option(
    "--last-out",
    is_flag=True,
    help="Items of a line are in order of time; test on the last of each user. Models of sequences"
    " need it.",
)
@click.option("--model", "name", default="best", show_default=True, help="A model, or `best`.")
@click.option("--parameters", default="{}", help="JSON, such as '{\"width\": 512}'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is held out.")
@FORM
@needs_no_home
def evaluate(  # noqa: PLR0917  (a parameter an option)
    train: Path,
    test: Path | None,
    folds: int | None,
    last_out: bool,
    name: str,
    parameters: str,
    seed: int,
    form: str,
) -> None:
    """Fit a model on pairs, rank all items for all users, and compare with the test pairs."""
    if (folds is not None) + (test is not None) + last_out > 1:
        raise click.UsageError(
            "--folds and --last-out cut the pairs of --train themselves: leave --test out, and give"
            " one of them"
        )
    if last_out:
        measured = measured_on_next_items(train, name, _parameters(parameters))
    elif folds is None:
        measured = measured_on_files(train, test, name, _parameters(parameters), seed)
    else:
        measured = cross_validated(train, folds, name, _parameters(parameters), seed)
    figures = measured.as_json()
    if form == "json":
        print_json(figures)
        return
    echo(f"{'model':16} {measured.model}")
    for figure, value in figures.items():
        echo(f"{figure:16} {value:,.4f}" if isinstance(value, float) else f"{figure} {value}")


@recsys.command()
@click.option("--train", type=_FILE, required=True, help="Lines of `user item item ...`.")
@click.option("--model", "name", required=True, help="The model whose parameters are searched.")
@click.option("--trials", type=click.IntRange(1), default=20, show_default=True)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="End the search after.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of slice and search.")
@FORM
@needs_no_home
def tune(  # noqa: PLR0917  (a parameter an option)
    train: Path, name: str, trials: int, seconds: float | None, seed: int, form: str
) -> None:
    """Search for the parameters that rank a tenth of each user's items best, held out of --train.

    The last line goes into `recsys evaluate --parameters`.
    """
    study = studied(train, name, trials=trials, seconds=seconds, seed=seed)
    tried = enumerate(study.trials, start=1)
    names = ("trial", "ndcg@10", "parameters")
    rows = [(n, each.ndcg, each.reason or json.dumps(dict(each.parameters))) for n, each in tried]
    print_rows(names, rows, form)
    if form == "table":
        best = json.dumps(dict(study.best.parameters))
        echo(f"best: --model {name} --parameters '{best}'")


@recsys.command()
@reads_home
def train(home: Home) -> None:
    """Train and evaluate the models on the current star schema; publish and serve the champion."""
    from social_assets.operate.runs.start import recommend

    out.print(str(recommend(home, progress)))


@recsys.command()
@reads_home
def champions(home: Home) -> None:
    """Every version that has served, oldest first, and which one serves."""
    from recsys.registry.deployment_history import champion, history
    from social_assets.lake.artifacts.home_copy import fetch

    root = home.artifacts / "champion"
    fetch(root)
    present = champion(root)
    deployments = history(root)
    if not deployments:
        click.echo("no model has served yet: materialize recsys/*", err=True)
    for deployment in deployments:
        serves = "  serves" if root / deployment.model / deployment.version == present else ""
        echo(f"{deployment}{serves}")


@recsys.command()
@click.option("--to", "version", help="Which version; default the one before the present champion.")
@reads_home
def rollback(home: Home, version: str | None) -> None:
    """Demote the champion: an earlier version serves again, at once for who loads the artifact.

    Then materialize recsys/top_n and recsys/similar_items, which serve the tables.
    """
    from recsys.registry.artifact import ArtifactError
    from recsys.registry.deployment_history import roll_back
    from social_assets.lake.artifacts.home_copy import publishing

    try:
        with publishing(home.artifacts / "champion"):
            folder = roll_back(home.artifacts / "champion", version)
    except ArtifactError as error:
        raise RunFailedError(str(error)) from error
    echo(f"{folder.parent.name} {folder.name} serves again")
    click.echo("tables: materialize recsys/top_n and recsys/similar_items", err=True)


def measured_on_files(
    train: Path, test: Path | None, name: str, parameters: dict[str, Any], seed: int
) -> Measurement:
    """Read, fit, rank, compare; raises RunFailedError for errors that a user can correct."""
    from recsys.evaluation.measurement import measure
    from recsys.interaction_file import hold_out, read_interactions, read_train_test
    from recsys.matrix import InteractionMatrix

    try:
        model = _model(name, parameters)
        if test is None:
            pairs = hold_out(InteractionMatrix.from_table(read_interactions(train)), seed=seed)
        else:
            pairs = read_train_test(train, test)
        if pairs.repeated:
            click.echo(f"{pairs.repeated} pairs of {test} are in {train}: left out", err=True)
        measured = measure(model, pairs.train, pairs.test)
        _tell_choice(model)
        return measured
    except (ValueError, MemoryError, ImportError) as error:
        raise RunFailedError(str(error)) from error


def measured_on_next_items(train: Path, name: str, parameters: dict[str, Any]) -> Measurement:
    """Leave-last-out on lines in order of time; raises RunFailedError as above."""
    from recsys.evaluation.measurement import measure
    from recsys.evaluation.next_item import leave_last_out
    from recsys.interaction_file import read_interactions
    from recsys.matrix import InteractionMatrix

    try:
        model = _model(name, parameters)
        rows = read_interactions(train, in_order=True)
        split = leave_last_out(InteractionMatrix.from_table(rows))
        if split.unknown_items:
            click.echo(f"{split.unknown_items} last items nobody else has: left out", err=True)
        measured = measure(model, split.train, split.test)
        _tell_choice(model)
        return measured
    except (ValueError, MemoryError, ImportError) as error:
        raise RunFailedError(str(error)) from error


def cross_validated(
    train: Path, k: int, name: str, parameters: dict[str, Any], seed: int
) -> Measurement:
    """K-fold cross-validation: each fold is evaluated once with a model of the others; the mean of
    all.

    Prints the result of each fold. Raises RunFailedError for errors that a user can correct.
    """
    from recsys.evaluation.measurement import mean_of, measure
    from recsys.interaction_file import folds, read_interactions
    from recsys.matrix import InteractionMatrix

    measured = []
    try:
        matrix = InteractionMatrix.from_table(read_interactions(train))
        for fold, pairs in enumerate(folds(matrix, k, seed), start=1):
            model = _model(name, parameters)
            measured.append(one := measure(model, pairs.train, pairs.test))
            _tell_choice(model)
            click.echo(f"fold {fold}: recall {one.recall:.4f}, ndcg {one.ndcg:.4f}", err=True)
    except (ValueError, MemoryError, ImportError) as error:
        raise RunFailedError(str(error)) from error
    return mean_of(measured)


def studied(train: Path, name: str, *, trials: int, seconds: float | None, seed: int) -> Study:
    """Read and search; raises RunFailedError for errors that a user can correct."""
    from recsys.evaluation import tuning
    from recsys.interaction_file import read_interactions
    from recsys.matrix import InteractionMatrix

    try:
        matrix = InteractionMatrix.from_table(read_interactions(train))
        study = tuning.tune(name, matrix, trials=trials, seconds=seconds, seed=seed)
        _ = study.best
    except (ValueError, MemoryError, ImportError) as error:
        raise RunFailedError(str(error)) from error
    return study


def _model(name: str, parameters: dict[str, Any]) -> ScorerRecommender:
    """`best`, or one of the catalog. Raises ValueError for what neither knows."""
    from recsys.evaluation.best import Best
    from recsys.models.catalog import new_model

    if name != Best.name:
        return new_model(name, parameters)
    try:
        return Best(**parameters)
    except TypeError as error:
        raise ValueError(f"best does not take {parameters}: {error}") from error


def _tell_choice(model: ScorerRecommender) -> None:
    """What `best` tried and chose, on stderr, since the figures on stdout may be parsed."""
    from recsys.evaluation.best import Best

    if not isinstance(model, Best):
        return
    for each in model.choice.tried:
        figure = f"{each.ndcg:.4f}" if each.ndcg is not None else each.reason
        click.echo(f"  {each.model:20} {figure:8} {_brief(each.parameters)}", err=True)
    choice = model.choice
    click.echo(f"chosen: {choice.model} {_brief(choice.parameters)}: {choice.reason}", err=True)


def _brief(parameters: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def _parameters(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise click.BadParameter(f"{text!r} is no JSON object of parameters")
    return parsed
