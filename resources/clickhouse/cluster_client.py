"""A client whose definitions are made for a cluster.

Belongs here: only the client. What a statement becomes belongs to `cluster`.
"""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.httpclient import HttpClient

from resources.clickhouse.cluster import Cluster


class ClusterClient(HttpClient):
    """Sends each statement of `command` as its cluster takes it."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        # Before the rest, which sends commands to learn the server's version.
        self.cluster = cluster
        super().__init__(**options)

    def command(self, cmd: str, *arguments: Any, **named: Any) -> Any:
        """The answer to the last of the statements that a cluster takes for this one."""
        *before, last = self.cluster.statements(cmd)
        for each in before:
            super().command(each)
        return super().command(last, *arguments, **named)
