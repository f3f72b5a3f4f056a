"""Age groups: who is active with videos and in communities, and for how long."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import AGE_GROUP, GENDER, STREAM, Dashboard


def _number(name: str, title: str, metric: str) -> Tile:
    return Tile(name, title, (metric,), Chart.NUMBER, is_compared=True, width=4)


DASHBOARD = Dashboard(
    name="age_groups",
    title="Age groups",
    description="People whose age is known: how many, and how they spend their time",
    order=70,
    filters=(AGE_GROUP, GENDER, STREAM),
    tiles=(
        _number("people", "People", "people"),
        _number("time", "Time spent", "time_spent"),
        _number("average", "Average time spent", "average_time_spent"),
        Tile(
            "time_by_age",
            "Time spent by age group",
            ("time_spent",),
            Chart.STACK,
            by=("age_group",),
            limit=8,
            width=8,
        ),
        Tile(
            "people_by_age",
            "People by age group",
            ("people",),
            Chart.BARS,
            by=("age_group",),
            is_compared=True,
            width=4,
        ),
        Tile(
            "engagement",
            "Average engagement, age group by gender",
            ("average_people_engagement",),
            Chart.HEAT_MAP,
            by=("age_group", "gender"),
            limit=60,
            width=5,
        ),
        Tile(
            "table",
            "Age groups side by side",
            ("people", "time_spent", "average_time_spent", "share_of_time"),
            Chart.TABLE,
            by=("age_group",),
            width=7,
        ),
    ),
)
