"""Every variable that the platform reads, its meaning, and whether it holds a secret.

Belongs here: only the register. The module that reads a variable says which values it may have. A
test compares the register with the sources. `hidden` removes secrets from a text to be shown.
Standard library only.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from resources.settings.alert_url_secrets import SHORTEST_SECRET, secret_parts

PREFIX = "SOCIAL_ASSETS_"
FIRST_DATE = "SOCIAL_ASSETS_FIRST_DATE"
CAPTURE_URL = "SOCIAL_ASSETS_CAPTURE_URL"
ALERT_URLS = "SOCIAL_ASSETS_ALERT_URLS"
REPORT_MAIL_URL = "SOCIAL_ASSETS_REPORT_MAIL_URL"
SECRET_KEY = "SOCIAL_ASSETS_SECRET_KEY"  # noqa: S105 - the name of a variable
CONNECTORS = "SOCIAL_ASSETS_CONNECTORS"
ENGINE = "SOCIAL_ASSETS_ENGINE"
EXPERIMENTS = "SOCIAL_ASSETS_EXPERIMENTS"
ENGINE_MEMORY = "SOCIAL_ASSETS_ENGINE_MEMORY"
ENGINE_THREADS = "SOCIAL_ASSETS_ENGINE_THREADS"
ENGINE_SPILL = "SOCIAL_ASSETS_ENGINE_SPILL"
ENGINE_SPARK_BYTES = "SOCIAL_ASSETS_ENGINE_SPARK_BYTES"

SETTINGS: Mapping[str, str] = {
    "SOCIAL_ASSETS_ENVIRONMENT": "local (default), test, staging or production",
    "SOCIAL_ASSETS_HOME": "folder of all state of this machine",
    "SOCIAL_ASSETS_MACHINE": "one name for the containers or pods of one host that share a home",
    "SOCIAL_ASSETS_CONTRACTS": "folder with contracts of one's own",
    CONNECTORS: "folder with connectors of one's own",
    EXPERIMENTS: "folder with experiments of one's own",
    "SOCIAL_ASSETS_FACEBOOK_URL": "where Facebook is, for tests: its declared address if unset",
    "SOCIAL_ASSETS_INSTAGRAM_URL": "where Instagram is, for tests",
    "SOCIAL_ASSETS_TIKTOK_URL": "where TikTok is, for tests",
    "SOCIAL_ASSETS_X_URL": "where X is, for tests",
    "SOCIAL_ASSETS_YOUTUBE_URL": "where YouTube is, for tests",
    "SOCIAL_ASSETS_X_DOLLARS_A_DAY": "what collection from X may cost a day",
    "SOCIAL_ASSETS_X_DOLLARS_A_MONTH": "what collection from X may cost a month",
    "SOCIAL_ASSETS_LAKE_URL": "root of the lake",
    "SOCIAL_ASSETS_MEDIA_URL": "root of the store of pictures; default in the home, or the lake",
    "SOCIAL_ASSETS_ARTIFACTS_URL": "object store for published models; unset: the home alone",
    "SOCIAL_ASSETS_LANDING_URL": "object store with files to load, besides landing in the home",
    "SOCIAL_ASSETS_MEDIA_ALLOWED_HOST": "one loopback host:port to fetch pictures from, for tests",
    FIRST_DATE: "first daily partition, and first event date accepted if before 2013",
    ENGINE: "what rebuilds days and takes large files: duckdb (default) or spark",
    ENGINE_SPARK_BYTES: "from so many bytes on, Spark takes a file; 1 GiB",
    ENGINE_MEMORY: "what DuckDB may take in each process, as 640MB (default)",
    ENGINE_THREADS: "threads of DuckDB in each process, 2 by default",
    ENGINE_SPILL: "folder for what is more than that memory; default in the home",
    "SOCIAL_ASSETS_CLICKHOUSE_URL": "the ClickHouse server; unset: the embedded one",
    "SOCIAL_ASSETS_CLICKHOUSE_CLUSTER": "cluster of that server, as its remote_servers name it",
    "SOCIAL_ASSETS_CLICKHOUSE_PORT": "port of the embedded ClickHouse",
    "SOCIAL_ASSETS_CLICKHOUSE_IDLE_SECONDS": "after which the embedded ClickHouse ends",
    "SOCIAL_ASSETS_CLICKHOUSE_MEMORY_BYTES": "memory of the embedded ClickHouse",
    "SOCIAL_ASSETS_CLICKHOUSE_THREADS": "threads of the embedded ClickHouse",
    "SOCIAL_ASSETS_CLICKHOUSE_MAX_QUERIES": "queries at once of the embedded ClickHouse",
    "SOCIAL_ASSETS_DISK_RESERVE_BYTES": "free space below which inserts are refused; 1 GiB",
    "SOCIAL_ASSETS_CLICKHOUSE_PASSWORD": "password of the ClickHouse of docker/compose.yaml",
    "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "Kafka's brokers",
    "SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    "SOCIAL_ASSETS_KAFKA_SASL_MECHANISM": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    "SOCIAL_ASSETS_KAFKA_SASL_USERNAME": "user of Kafka",
    "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD": "password of Kafka",
    "SOCIAL_ASSETS_KAFKA_SSL_CA": "file with the authority of Kafka's certificate",
    "SOCIAL_ASSETS_KAFKA_SSL_CERTIFICATE": "file with one's own certificate for Kafka",
    "SOCIAL_ASSETS_KAFKA_SSL_KEY": "file with the key of that",
    "SOCIAL_ASSETS_KAFKA_API_VERSION": "version of brokers that do not tell it",
    "SOCIAL_ASSETS_KAFKA_REPLICATION_FACTOR": "brokers that have each record of topics made here",
    "SOCIAL_ASSETS_KAFKA_MIN_INSYNC_REPLICAS": "how many of them must take a record; a majority",
    "SOCIAL_ASSETS_KAFKA_TOPIC_PREFIX": "what every topic's name begins with",
    "SOCIAL_ASSETS_KAFKA_PORT": "port of the home's own broker",
    "SOCIAL_ASSETS_KAFKA_HEAP_MB": "memory of the home's own broker",
    "SOCIAL_ASSETS_KAFKA_START_SECONDS": "how long the home's own broker may take to start",
    "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL": "where Dagster keeps runs and events in production",
    CAPTURE_URL: "database whose tables are captured; __<NAME> of others, as contracts name them",
    "SOCIAL_ASSETS_CAPTURE_PASSWORD": "for Kafka Connect's process; set by the platform itself",
    "SOCIAL_ASSETS_CONTROL_URL": "PostgreSQL of the operational store; unset: SQLite in the home",
    SECRET_KEY: "keys of stored secrets, 32 bytes in base64 each; unset: a file in the home",
    "SOCIAL_ASSETS_POSTGRES_PASSWORD": "password of the Postgres of docker/compose.yaml",
    "SOCIAL_ASSETS_IMAGE": "container image of runs in production",
    "SOCIAL_ASSETS_STREAMING_HOST": "host of the code location `streaming` in production",
    "SOCIAL_ASSETS_BATCH_HOST": "host of the code location `batch` in production",
    "SOCIAL_ASSETS_DOCKER_NETWORK": "network of the runs' containers",
    "SOCIAL_ASSETS_DOCKER_GROUP": "group that owns Docker's socket",
    "SOCIAL_ASSETS_K8S_NAMESPACE": "namespace of the runs' jobs",
    "SOCIAL_ASSETS_K8S_SERVICE_ACCOUNT": "as whom the runs' jobs work",
    "SOCIAL_ASSETS_K8S_INSTANCE_CONFIG_MAP": "where the runs' jobs find dagster.yaml",
    "SOCIAL_ASSETS_UI_URL": "where people open the Dagster UI; links in alerts lead there",
    REPORT_MAIL_URL: "Apprise URL of the mail server that sends reports",
    "SOCIAL_ASSETS_DASHBOARDS_URL": "where people open the dashboards; links in alerts lead there",
    "SOCIAL_ASSETS_UI_TOKEN": "token that signs a browser in to Dagster UI and dashboards",
    "SOCIAL_ASSETS_UI_HOSTS": "names under which Dagster UI, dashboards and API may be asked",
    "SOCIAL_ASSETS_WEBHOOKS_URL": "where the platforms find the receiver of webhooks, https://...",
    "SOCIAL_ASSETS_CACHE_URL": "redis://... of answers that API servers share; unset: in each",
    "SOCIAL_ASSETS_FEATURES_URL": "redis://... of online features; unset: SQLite in the home",
    "SOCIAL_ASSETS_LOAD_FOLDERS": "folders, separated by colons, that runs may load files from",
    "SOCIAL_ASSETS_LANDING_REST_SECONDS": "how long a file in landing must be unchanged; 5",
    ALERT_URLS: "channels of alerts, as Apprise URLs; __<OWNER>, __ERROR, __WARN narrow it",
    "SOCIAL_ASSETS_RECOMMEND_VIDEOS": "1: videos are items of the recommenders, beside posts",
    "SOCIAL_ASSETS_LIST_RULES": "rules of recommended lists, a JSON object; unset: none",
    "SOCIAL_ASSETS_LOG_FORMAT": "json: one object a line; human (default)",
    "SOCIAL_ASSETS_LOG_LEVEL": "DEBUG, INFO (default; of dev WARNING), WARNING or ERROR",
    "SOCIAL_ASSETS_LOG_FILES_LEVEL": "the same for the log files that are shipped; INFO (default)",
    "SOCIAL_ASSETS_LOG_FILES_BYTES": "most bytes of log files that wait to be shipped; 256 MiB",
    "SOCIAL_ASSETS_LOG_DAYS": "how many days ClickHouse keeps log lines; 30",
    "SOCIAL_ASSETS_LOG_COMMENT": "tag of dbt's queries; set by the platform itself",
    "SOCIAL_ASSETS_DBT_CLUSTER": "for dbt's process; set by the platform itself",
    "SOCIAL_ASSETS_DBT_HOST": "for dbt's process; set by the platform itself",
    "SOCIAL_ASSETS_DBT_PORT": "for dbt's process; set by the platform itself",
    "SOCIAL_ASSETS_DBT_USER": "for dbt's process; set by the platform itself",
    "SOCIAL_ASSETS_DBT_SECURE": "for dbt's process; set by the platform itself",
    "SOCIAL_ASSETS_DBT_THREADS": "for dbt's process; set by the platform itself",
    "DBT_ENV_SECRET_CLICKHOUSE_PASSWORD": "for dbt's process; set by the platform itself",
}

_HOLD_A_PASSWORD = frozenset(
    {
        "SOCIAL_ASSETS_CAPTURE_PASSWORD",
        "SOCIAL_ASSETS_CLICKHOUSE_PASSWORD",
        "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD",
        "SOCIAL_ASSETS_POSTGRES_PASSWORD",
        "SOCIAL_ASSETS_SECRET_KEY",
        "SOCIAL_ASSETS_UI_TOKEN",
        "DBT_ENV_SECRET_CLICKHOUSE_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }
)
_URLS_WITH_A_PASSWORD = frozenset(
    {
        CAPTURE_URL,
        "SOCIAL_ASSETS_CACHE_URL",
        "SOCIAL_ASSETS_FEATURES_URL",
        "SOCIAL_ASSETS_CLICKHOUSE_URL",
        "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL",
        "SOCIAL_ASSETS_CONTROL_URL",
        "SOCIAL_ASSETS_LAKE_URL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    }
)
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS")
"""Lists of NAME=VALUE, whose values are secrets."""

_FAMILIES = (ALERT_URLS + "__", CAPTURE_URL + "__")
"""Beginnings of variables whose ends people choose."""

_HIDDEN = "***"


def unknown(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables with our prefix that nothing reads, each with the one that was likely meant."""
    found = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in SETTINGS or name.startswith(_FAMILIES):
            continue
        if _moves_connector(name, environment):
            continue
        near = difflib.get_close_matches(name, SETTINGS, n=1)
        found[name] = near[0] if near else ""
    return found


def _moves_connector(name: str, environment: Mapping[str, str]) -> bool:
    """Whether a variable is the address of a connector in the user's folder."""
    folder = environment.get(CONNECTORS)
    platform = name.removeprefix(PREFIX).removesuffix("_URL")
    is_address = bool(folder) and name == f"{PREFIX}{platform}_URL"
    return is_address and (Path(folder or "") / f"{platform.lower()}.py").exists()


def secrets(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The secret values that the environment holds; of a URL, its password."""
    for name, value in environment.items():
        if name in _HOLD_A_PASSWORD:
            yield value
            if name == SECRET_KEY:
                yield from (key.strip() for key in value.split(","))
        elif name in _URLS_WITH_A_PASSWORD or name.startswith(CAPTURE_URL + "__"):
            yield from _passwords(value)
        elif name in _HEADERS:
            for written in (pair.partition("=")[2].strip() for pair in value.split(",")):
                yield from (written, unquote(written))
        elif name in (ALERT_URLS, REPORT_MAIL_URL) or name.startswith(ALERT_URLS + "__"):
            yield from secret_parts(value)


def _passwords(url: str) -> Iterator[str]:
    """The password of a URL, and the parts that an error may show of one that is malformed."""
    user_and_password, at, _ = url.partition("://")[2].rpartition("@")
    if not at:
        user_and_password = url.rpartition("@")[0]
    password = user_and_password.partition(":")[2]
    for written in (password, *re.split(r"[/:@?#\[\]\s]+", password)):
        yield from (written, unquote(written))


def hidden(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without the secrets that the environment holds."""
    for secret in sorted({*secrets(environment)}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return text
