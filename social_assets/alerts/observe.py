"""Collects all active alerts: runs, checks, streams, files, contracts, disks and metrics.

Belongs here: who owns what, according to the asset graph and the contracts.
"""

from __future__ import annotations

from collections.abc import Iterable

from dagster import AssetKey, DagsterInstance, DagsterRun, RepositoryDefinition

from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.alerts.active import Observation
from social_assets.alerts.journal import Journal
from social_assets.alerts.kinds.broken_contracts import observe_contracts
from social_assets.alerts.kinds.failed_checks import Check, observe_checks
from social_assets.alerts.kinds.failed_files import observe_files
from social_assets.alerts.kinds.failed_runs import observe_runs, stream_of
from social_assets.alerts.kinds.full_disks import observe_disks
from social_assets.alerts.kinds.metric_alerts import observe_metrics
from social_assets.alerts.kinds.stale_streams import observe_streams
from social_assets.alerts.metric_rules.rule import rules
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource


def observe(
    instance: DagsterInstance,
    repository: RepositoryDefinition,
    stores: StoresResource,
    kafka: KafkaResource,
    journal: Journal,
) -> Observation:
    """All alerts that are active now."""
    graph = repository.asset_graph
    jobs = {
        job.name: frozenset(job.asset_layer.selected_asset_keys)
        for job in repository.get_all_jobs()
    }
    checks = [
        Check(graph.get_check_spec(key), _owner_of_assets(repository, [key.asset_key]))
        for key in sorted(graph.asset_check_keys)
    ]
    return Observation.of(
        [
            observe_runs(
                instance, journal.told_runs(), jobs, lambda run: _owner_of_run(repository, run)
            ),
            observe_checks(instance, checks),
            observe_streams(contracts(), stores, kafka),
            observe_files(contracts(), stores),
            observe_contracts(),
            observe_disks(Home.from_environment()),
            observe_metrics(rules()),
        ]
    )


def _owner_of_run(repository: RepositoryDefinition, run: DagsterRun) -> str:
    """The stream's owner, or else the owner that all of the run's assets share, or else ""."""
    owners = {c.name: c.owner for c in contracts()}
    return owners.get(stream_of(run)) or _owner_of_assets(repository, run.asset_selection or ())


def _owner_of_assets(repository: RepositoryDefinition, keys: Iterable[AssetKey]) -> str:
    graph = repository.asset_graph
    owners = {owner for key in keys if graph.has(key) for owner in graph.get(key).owners[:1]}
    return owners.pop() if len(owners) == 1 else ""
