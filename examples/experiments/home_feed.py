"""An experiment of one's own: which model orders the home feed.

Run by `SOCIAL_ASSETS_EXPERIMENTS=examples/experiments`; `examples/README.md` says how.
"""

from datetime import date, timedelta

from social_assets.recommend.experiments.definition import Experiment, Guardrail, Variant

EXPERIMENT = Experiment(
    name="home_feed",
    title="Order of the home feed",
    hypothesis="A feed ordered by the graph filter makes people react more than one by ALS",
    variants=(Variant("als", model="als"), Variant("graph_filter", model="graph_filter")),
    goals=("weighted_engagement", "unique_users"),
    guardrails=(Guardrail("click_through_rate", tolerated=0.02),),
    start=date(2026, 1, 1),
    planned_units=20_000,
    window=timedelta(days=3),
    before=timedelta(days=5),
)
