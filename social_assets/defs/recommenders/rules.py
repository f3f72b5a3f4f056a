"""`recsys/list_rules`: what the rules of served lists cost in hits, and gain in variety.

Belongs here: what is measured and shown. The rules and where they are declared belong to
`social_assets.recommend.list_rules`.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dagster import AssetExecutionContext, Config, MaterializeResult, MetadataValue, asset
from pydantic import Field

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.pictures import new_figure, picture
from social_assets.defs.recommenders.models import (
    MATRIX,
    OWNERS,
    WEEKLY_ON_SUNDAY,
    rounded,
    size_metadata,
)
from social_assets.defs.recommenders.promotion import champion
from social_assets.defs.recommenders.reporting import failures_without_retry
from social_assets.defs.reporting import query_comment
from social_assets.recommend.candidates import candidate_model, champion_manifest, items_for
from social_assets.recommend.errors import RecommendError
from social_assets.recommend.folders import matrices
from social_assets.recommend.interactions import Interactions
from social_assets.recommend.list_rules import VARIABLE, ServedRules, read_traits

if TYPE_CHECKING:
    from recsys.evaluation.chosen_lists import ChosenLists

_AT = 10
_TRIED = (
    ServedRules(),
    ServedRules(diversity=0.1),
    ServedRules(diversity=0.2),
    ServedRules(diversity=0.3),
    ServedRules(diversity=0.5),
    ServedRules(freshness=0.1),
    ServedRules(freshness=0.3),
    ServedRules(most_of_creator=3),
)


class RulesConfig(Config):
    """Rules to measure beside those in force."""

    rules: str = Field(
        default="{}", description=f"A JSON object of rules, as {VARIABLE} has it, to be tried"
    )


@asset(
    key=["recsys", "list_rules"],
    group_name="recsys",
    deps=[champion, MATRIX],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=WEEKLY_ON_SUNDAY,
    description=(
        "What rules of lists cost in NDCG and gain in diversity, coverage and freshness, measured"
        " with the champion's recipe on the days after the cut: the rules in force, and others"
    ),
)
@failures_without_retry()
def list_rules(
    context: AssetExecutionContext, config: RulesConfig, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Changes nothing: rules are put in force by their variable."""
    started = time.monotonic()
    in_force = ServedRules.from_environment().of_lists()
    tried = ServedRules.of(config.rules, "the rules of the run's config").of_lists()
    rules = list(dict.fromkeys([*_TRIED, in_force, tried]))
    interactions = Interactions.load(matrices().required())
    with clickhouse.client(query_comment(context)) as client:
        traits = read_traits(client, interactions.window.cut)
    figures = _measured(interactions, rules, traits)
    plain, own = figures[0], figures[rules.index(in_force)]
    return MaterializeResult(
        metadata={
            **size_metadata(interactions),
            "in_force": in_force.text() or "none",
            "rules": MetadataValue.md(_table(rules, figures, in_force)),
            "cost_and_gain": _plot(rules, figures),
            f"ndcg@{_AT}": plain.ndcg,
            f"ndcg@{_AT}_in_force": own.ndcg,
            "ndcg_cost": plain.ndcg - own.ndcg,
            "diversity_gain": own.diversity - plain.diversity,
            "coverage_gain": own.coverage - plain.coverage,
            "seconds": rounded(time.monotonic() - started),
        }
    )


def _measured(
    interactions: Interactions, rules: Sequence[ServedRules], traits: Any
) -> "list[ChosenLists]":
    from recsys.evaluation.chosen_lists import measure_choices
    from recsys.scoring.lists.choosing import ItemTraits

    manifest = champion_manifest()
    if manifest is None:
        raise RecommendError("there is no champion yet: materialize recsys/champion")
    name = manifest["model"]
    own = items_for(name, interactions)
    model = candidate_model(name, manifest["parameters"], interactions)
    try:
        model.fit(own.train.csr, own.train.times)
        choices = [each.weights() for each in rules]
        known = ItemTraits.of(own.train.items, traits)
        return measure_choices(model, own.train, own.test, choices, known, _AT)
    except (ValueError, MemoryError, ImportError) as error:
        raise RecommendError(f"{interactions.window}: {error}") from error


def _table(
    rules: Sequence[ServedRules], figures: "Sequence[ChosenLists]", in_force: ServedRules
) -> str:
    lines = [
        f"| rules | ndcg@{_AT} | recall | diversity | coverage | age, days | creators a list |",
        "|---" * 7 + "|",
    ]
    for each, found in zip(rules, figures, strict=True):
        name = (each.text() or "none") + (" (in force)" if each == in_force else "")
        lines.append(
            f"| `{name}` | {found.ndcg:.4f} | {found.recall:.4f} | {found.diversity:.4f} |"
            f" {found.coverage:.4f} | {found.age_days:.1f} | {found.creators:.1f} |"
        )
    return "\n".join(lines)


def _plot(rules: Sequence[ServedRules], figures: "Sequence[ChosenLists]") -> MetadataValue:
    """NDCG against diversity, one point a set of rules."""
    figure, axes = new_figure()
    for each, found in zip(rules, figures, strict=True):
        label = (each.text() or "none").strip("{}").replace('"', "")
        axes.scatter([found.diversity], [found.ndcg], label=label)
    axes.set(xlabel="diversity of a list", ylabel=f"NDCG@{_AT}")
    axes.legend(fontsize="x-small")
    return picture(figure, "cost and gain of rules")
