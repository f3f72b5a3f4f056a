"""How many brokers have each record of the topics that the platform makes, and how many must.

Belongs here: the two variables, what they may hold, and their form as settings of a topic. It is a
fact about the cluster, so that it stands in no contract. Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from resources.kafka.settings import PREFIX, KafkaSettingsError

FACTOR = PREFIX + "REPLICATION_FACTOR"
MIN_IN_SYNC = PREFIX + "MIN_INSYNC_REPLICAS"

_OF_THE_BROKERS = -1
"""What brokers take for their own `default.replication.factor`."""


@dataclass(frozen=True)
class Replication:
    """The copies of each record. None: what the brokers are configured with.

    A record is acknowledged when all replicas in sync have it, and refused if fewer than
    `min_in_sync` are in sync. With 3 and 2, one broker may be lost without a pause for long, and
    two without the loss of an acknowledged record.
    """

    factor: int | None = None
    min_in_sync: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """What the environment says; a factor alone wants a majority in sync.

        Raises KafkaSettingsError naming the variable that is wrong.
        """
        factor = _count(environment, FACTOR)
        least = _count(environment, MIN_IN_SYNC)
        if factor is None:
            if least is not None:
                raise KafkaSettingsError(
                    f"{MIN_IN_SYNC} is {least}, and {FACTOR} is not set: set both, or none for the "
                    "values of the brokers"
                )
            return cls()
        if least is None:
            least = factor // 2 + 1
        if least > factor:
            raise KafkaSettingsError(
                f"{MIN_IN_SYNC} is {least}, and {FACTOR} {factor}: no record would ever be taken; "
                f"set {MIN_IN_SYNC} to {factor // 2 + 1}"
            )
        return cls(factor, least)

    @property
    def factor_for_brokers(self) -> int:
        """The replication factor as a request to make a topic has it."""
        return _OF_THE_BROKERS if self.factor is None else self.factor

    @property
    def topic_config(self) -> Mapping[str, str]:
        """What is set on the topic itself."""
        if self.min_in_sync is None:
            return {}
        return {"min.insync.replicas": str(self.min_in_sync)}


def _count(environment: Mapping[str, str], variable: str) -> int | None:
    text = environment.get(variable, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise KafkaSettingsError(f"{variable} is {text!r}; it must be a whole number from 1 on")
    return int(text)
