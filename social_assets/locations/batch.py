"""Code location `batch`: all assets and checks, and the jobs that rebuild, train, maintain, alert.

Belongs here: only merging the definitions of the folders of `defs`; nothing here names a stream.
The jobs that load files and drain topics are in `streaming`.
"""

from __future__ import annotations

from functools import cache

from resources.machine.garbage_collection import imports_kept

with imports_kept("dagster_dbt", "pandera.ibis", "alembic", "deltalake", "pyarrow.parquet"):
    from dagster import Definitions, definitions

    from resources.clickhouse.resource import ClickHouseResource
    from resources.spark.resource import spark_resource
    from sensors.alerts import alerts_sensor
    from sensors.automation import automation_sensor
    from sensors.broken_contracts import broken_contracts_sensors
    from sensors.failed_captures import failed_captures_sensors
    from sensors.media import media_sensor
    from sensors.recommenders import recommenders_sensor
    from sensors.report_schedules import report_schedules_sensor
    from social_assets.contracts.registry import contracts
    from social_assets.defs.collection.platform_assets import platform_assets
    from social_assets.defs.collection.platform_checks import (
        check_platforms,
        platform_checks,
        platforms_every_ten_minutes,
    )
    from social_assets.defs.experiments.checks import experiment_checks
    from social_assets.defs.experiments.results import experiment_results
    from social_assets.defs.features.features import feature_checks, features
    from social_assets.defs.features.online import online_checks, online_features
    from social_assets.defs.features.training_set import training_set, training_set_checks
    from social_assets.defs.forecasts.checks import forecast_checks
    from social_assets.defs.forecasts.engagement import engagement_forecasts, forecast_job
    from social_assets.defs.ingestion.checks.contract_checks import contract_is_deployed
    from social_assets.defs.ingestion.checks.drift_checks import drift_checks
    from social_assets.defs.ingestion.checks.freshness_checks import newest_day_is_fresh
    from social_assets.defs.ingestion.checks.landing_checks import no_file_failed
    from social_assets.defs.ingestion.checks.quarantined_batch_checks import no_batch_is_quarantined
    from social_assets.defs.ingestion.checks.rule_checks import contract_checks
    from social_assets.defs.ingestion.checks.slot_checks import slot_is_read
    from social_assets.defs.ingestion.checks.source_schema_checks import source_schema
    from social_assets.defs.ingestion.checks.topic_checks import no_range_was_lost, topic_is_drained
    from social_assets.defs.ingestion.cleaned import cleaned_asset
    from social_assets.defs.ingestion.current import current_asset
    from social_assets.defs.ingestion.raw import raw_asset
    from social_assets.defs.installation import in_installation
    from social_assets.defs.maintenance import nightly as maintenance
    from social_assets.defs.maintenance.media import files_are_there, media_maintenance
    from social_assets.defs.maintenance.rebuild_jobs import (
        nightly_rebuild,
        rebuild_job,
        recommend_job,
        recommend_with_all_job,
        train_texts_job,
    )
    from social_assets.defs.media.media_assets import fetch_media_job, media_assets
    from social_assets.defs.media.media_checks import media_checks
    from social_assets.defs.monitoring import broken_contracts as unusable
    from social_assets.defs.monitoring import topic_watch, verification
    from social_assets.defs.monitoring.altered_table_checks import tables_are_as_declared
    from social_assets.defs.monitoring.invariant_checks import stream_invariants
    from social_assets.defs.monitoring.partition_checks import every_day_has_rows
    from social_assets.defs.monitoring.pending_day_checks import no_day_is_pending
    from social_assets.defs.predictions.addiction_level import addiction_models, prediction_checks
    from social_assets.defs.privacy import deletions as privacy
    from social_assets.defs.recommenders import assets as recsys
    from social_assets.defs.reports.assets import report_assets, report_job
    from social_assets.defs.reports.dashboards import dashboard_specs
    from social_assets.defs.text.champion import champion_assets, champion_checks
    from social_assets.defs.text.documents import document_checks, documents
    from social_assets.defs.text.sentiment import sentiment, text_checks
    from social_assets.defs.warehouse.dbt_resource import warehouse_dbt
    from social_assets.defs.warehouse.persons import dim_person, person_checks
    from social_assets.defs.warehouse.rollups import rollup_checks, rollups
    from social_assets.defs.warehouse.star import star, star_checks
    from social_assets.ingest.connectors.registry import connectors
    from social_assets.serving.reports.report import reports

STREAM_ASSETS = (raw_asset, cleaned_asset)
NOT_OF_CHANGES = (every_day_has_rows, drift_checks)
"""Checks of what a day has beside others: a table changes when its people change it."""

STREAM_CHECKS = (
    no_file_failed,
    topic_is_drained,
    no_range_was_lost,
    no_batch_is_quarantined,
    contract_is_deployed,
    no_day_is_pending,
    tables_are_as_declared,
    contract_checks,
    stream_invariants,
    newest_day_is_fresh,
    every_day_has_rows,
    drift_checks,
    source_schema,
)


@definitions
@cache
def defs() -> Definitions:
    """The definitions, made once a process."""
    return in_installation(_location)


def _location() -> Definitions:
    return Definitions(
        assets=[
            *(make(contract) for contract in contracts() for make in STREAM_ASSETS),
            *(current_asset(contract) for contract in contracts() if contract.capture),
            *platform_assets(),
            *media_assets(),
            *unusable.broken_contract_assets(),
            star(),
            dim_person,
            rollups(),
            features(),
            online_features,
            training_set,
            *champion_assets,
            sentiment(),
            documents(),
            *recsys.assets,
            experiment_results(),
            engagement_forecasts(),
            addiction_models(),
            *maintenance.maintenance_assets(),
            privacy.deletions,
            media_maintenance,
            *report_assets(),
            *dashboard_specs(),
        ],
        asset_checks=[
            *(
                make(contract)
                for contract in contracts()
                for make in STREAM_CHECKS
                if not (contract.capture and make in NOT_OF_CHANGES)
            ),
            *map(platform_checks, connectors()),
            *media_checks(),
            files_are_there,
            *(slot_is_read(contract) for contract in contracts() if contract.capture),
            *star_checks(),
            *person_checks,
            *rollup_checks(),
            *feature_checks,
            *online_checks,
            *training_set_checks,
            *champion_checks,
            *text_checks,
            *document_checks,
            *recsys.checks,
            *experiment_checks,
            *forecast_checks,
            *prediction_checks,
            *privacy.deletion_checks,
            verification.all_partition_checks(),
            *unusable.broken_contract_checks(),
        ],
        jobs=[
            rebuild_job(),
            recommend_job,
            recommend_with_all_job,
            train_texts_job,
            forecast_job,
            fetch_media_job(),
            maintenance.maintenance_job,
            privacy.forget_job,
            *(report_job(each) for each in reports()),
            *verification.verification_jobs(),
            topic_watch.check_topics(),
            check_platforms(),
            *unusable.check_contracts(),
        ],
        schedules=[
            nightly_rebuild(),
            maintenance.maintenance_schedule,
            privacy.nightly_deletions,
            *verification.verification_schedules(),
            topic_watch.topics_every_ten_minutes(),
            platforms_every_ten_minutes(),
        ],
        sensors=[
            alerts_sensor(),
            automation_sensor(),
            media_sensor(),
            recommenders_sensor(),
            report_schedules_sensor(),
            *broken_contracts_sensors(),
            *failed_captures_sensors(),
        ],
        resources={"dbt": warehouse_dbt(ClickHouseResource()), "pyspark": spark_resource()},
    )
