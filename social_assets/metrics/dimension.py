"""What a metric may be divided or filtered by.

Belongs here: the kinds of dimensions, and those that several subjects share. A dimension that one
subject alone has is declared in the subject's module.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5

from social_assets.metrics.grain import Grain


@dataclass(frozen=True)
class Dimension:
    """A column of facts and rollups whose values are texts."""

    name: str
    description: str
    column: str

    def literal_of(self, value: str) -> str | None:
        """SQL of a value of the column; None if values go to the server as parameters."""
        del value
        return None


@dataclass(frozen=True)
class KeyDimension(Dimension):
    """A column with the key of a member of a dimension table; people know it by its label.

    The key is the MD5 of the label (`dbt/macros/warehouse/surrogate_key.sql`), so that a filter
    needs no lookup.
    """

    members: str
    """The table that knows the label of each key."""
    label: str
    """The label's column there."""

    @classmethod
    def of(cls, member: str, label: str, description: str, name: str = "") -> KeyDimension:
        """The dimension of `star.dim_<member>`, named `member` if it has no name of its own."""
        return cls(
            name=name or member,
            description=description,
            column=f"{member}_key",
            members=f"star.dim_{member}_daily",
            label=label,
        )

    def literal_of(self, value: str) -> str:
        """The key of a label, as SQL."""
        return f"unhex('{md5(value.encode(), usedforsecurity=False).hexdigest()}')"


@dataclass(frozen=True)
class TimePart(Dimension):
    """A number that is computed from a row's time in the question's zone, such as its weekday.

    `column` is the SQL of the part, with `{time}` for the row's time in that zone.
    """

    needs: Grain
    """The coarsest grain of a table that can tell it."""


ACCOUNT = KeyDimension.of(
    "account", "account_id", "The account that published, by the platform's id"
)
POST = KeyDimension.of("post", "post_id", "The post, by the platform's id")
PLATFORM = KeyDimension.of("platform", "platform", "The platform, such as YouTube")
DEVICE_TYPE = KeyDimension.of("device_type", "device_type", "Smartphone, tablet or computer")
STREAM = Dimension(name="stream", description="The stream of the records", column="stream")
AGE_GROUP = Dimension(name="age_group", description="Band of the age", column="age_group")
GENDER = Dimension(name="gender", description="Male, Female or Other", column="gender")
HOUR_OF_DAY = TimePart(
    name="hour_of_day",
    description="Hour of the event in the question's time zone, 0 to 23",
    column="toHour({time})",
    needs=Grain.HOUR,
)
WEEKDAY = TimePart(
    name="weekday",
    description="Weekday of the event in the question's time zone, 1 (Monday) to 7",
    column="toDayOfWeek({time})",
    needs=Grain.DAY,
)
