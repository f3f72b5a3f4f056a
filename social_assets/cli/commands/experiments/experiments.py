"""`social-assets experiments ...`: list, analyze, assign, size. Only parses and prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from social_assets.cli.home_use import needs_no_home, reads_home
from social_assets.cli.printing.terminal import FORM, echo, print_json, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.recommend.experiments.analysis import Analysis, ComparedMetric

_LISTED = ("experiment", "from", "to", "variants", "goals", "recommendation")
_ROW = ("metric", "role", "variant", "units", "control", "mean", "lift", "at_every_look", "p")


@click.group(short_help="Analyze experiments; size them.")
def experiments() -> None:
    """Experiments: what is declared, what came of it, which variant a user gets, how many to ask.

    Declare one as a module in the folder of $SOCIAL_ASSETS_EXPERIMENTS; docs/experiments.md.
    """


@experiments.command("list")
@FORM
@reads_home
def list_experiments(home: Home, form: str) -> None:
    """Every declared experiment, and what the last analysis recommends."""
    del home
    from social_assets.operate.experiments.read import recorded
    from social_assets.recommend.experiments import registry

    known = recorded()
    rows = [
        (
            each.name,
            each.start,
            each.end,
            ", ".join(variant.name for variant in each.variants),
            ", ".join(each.goals),
            str(known[each.name].recommendation) if each.name in known else "not analyzed yet",
        )
        for each in registry.experiments()
    ]
    print_rows(_LISTED, rows, form)


@experiments.command()
@click.argument("name", required=False)
@FORM
@reads_home
def analyze(home: Home, name: str | None, form: str) -> None:
    """Analyze NAME, or all, on the warehouse as it is now. Writes nothing.

    The asset recsys/experiment_results does the same each night and keeps it.
    """
    del home
    from social_assets.operate.experiments.read import analyzed

    found = analyzed(name)
    if form == "json":
        print_json([_as_json(each) for each in found])
        return
    for each in found:
        _print(each, form)
    if not found:
        click.echo("no experiment is declared", err=True)


@experiments.command()
@click.argument("name")
@click.argument("units", nargs=-1)
@needs_no_home
def assign(name: str, units: tuple[str, ...]) -> None:
    """The variant of each of UNITS in experiment NAME; of lines on standard input without any.

    Prints `unit variant`, or `unit -` for a unit that does not take part.
    """
    from social_assets.recommend.experiments.assignment import variant_of
    from social_assets.recommend.experiments.registry import experiment

    declared = experiment(name)
    for unit in units or (line.rstrip("\n") for line in sys.stdin):
        echo(f"{unit} {variant_of(declared, unit) or '-'}")


@experiments.command()
@click.argument("mean", type=float)
@click.argument("deviation", type=float)
@click.argument("lift", type=float)
@click.option("--alpha", type=float, default=0.05, show_default=True)
@click.option("--power", type=float, default=0.8, show_default=True)
@needs_no_home
def size(mean: float, deviation: float, lift: float, alpha: float, power: float) -> None:
    """Units that find a LIFT, such as 0.05, of a metric with this MEAN and DEVIATION over units.

    Of two variants of one size, together.
    """
    from social_assets.recommend.experiments.statistics.power import units_needed

    try:
        found = units_needed(mean, deviation, lift, alpha=alpha, power=power)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    echo(f"planned_units for intervals that hold at every look: {found.every_look:,}")
    echo(f"units for somebody who looks once: {found.one_look:,}")


def _print(of: Analysis, form: str) -> None:
    echo(f"{of.experiment.name}, up to {of.as_of or 'no day'}: {of.recommendation}")
    exposed = ", ".join(f"{name} {units:,}" for name, units in of.exposures.units.items())
    echo(f"exposed: {exposed}; sample ratio p = {of.sample_ratio_p_value:.3g}")
    left_out = of.exposures.in_several_variants + of.exposures.in_unknown_variants
    if left_out:
        echo(f"left out: {left_out:,} units in several variants or in undeclared ones")
    if of.newest:
        print_rows(_ROW, [_cells(row) for row in of.newest], form)


def _cells(row: ComparedMetric) -> tuple[object, ...]:
    found, interval = row.found, row.found.lift_always
    return (
        row.metric,
        "goal" if row.is_goal else "guardrail",
        row.variant,
        found.units,
        f"{found.control_mean:.4g}",
        f"{found.mean:.4g}",
        None if found.lift is None else f"{found.lift:+.2%}",
        f"{found.always.low:+.4g} to {found.always.high:+.4g}"
        if interval is None
        else f"{interval.low:+.2%} to {interval.high:+.2%}",
        f"{found.sequential_p_value:.3g}",
    )


def _as_json(of: Analysis) -> dict[str, Any]:
    return {
        "experiment": of.experiment.name,
        "as_of": of.as_of,
        "action": of.recommendation.action.value,
        "variant": of.recommendation.variant,
        "reason": of.recommendation.reason,
        "exposed": dict(of.exposures.units),
        "complete": dict(of.counted),
        "sample_ratio_p_value": of.sample_ratio_p_value,
        "results": [
            {
                "metric": row.metric,
                "role": "goal" if row.is_goal else "guardrail",
                "variant": row.variant,
                "units": row.found.units,
                "control_units": row.found.control_units,
                "mean": row.found.mean,
                "control_mean": row.found.control_mean,
                "difference": row.found.difference,
                "difference_low": row.found.always.low,
                "difference_high": row.found.always.high,
                "lift": row.found.lift,
                "lift_low": row.found.lift_always and row.found.lift_always.low,
                "lift_high": row.found.lift_always and row.found.lift_always.high,
                "sequential_p_value": row.found.sequential_p_value,
                "p_value": row.found.p_value,
                "p_value_adjusted": row.adjusted_p_value,
            }
            for row in of.newest
        ],
    }
