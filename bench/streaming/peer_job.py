"""The peer: the same drain as a plain PySpark Structured Streaming job. Run by `peer`.

Belongs here: Spark code as in its documentation, without imports from the project. It has three
queries with the trigger availableNow, one after the other: Kafka to bronze (Parquet), bronze to
silver (decoded, checked, first record of each key within the watermark), silver to gold (hourly
sums). It does less than the platform: no bytes or reasons of rejected records, no exact
deduplication beyond the watermark, no dimensions, and no users or quantiles in gold; and gold gets
one folder for each batch, which a reader must merge.

Prints a line of JSON: seconds by stage, and the events in gold.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import DataStreamWriter

EVENT = (
    "event_id STRING, event_time STRING, platform STRING, account_id STRING, post_id STRING, "
    "user_id STRING, metric_type STRING, value STRING"
)
BRONZE = "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
SILVER = (
    "event_id STRING, event_time TIMESTAMP, platform STRING, account_id STRING, post_id STRING, "
    "user_id STRING, metric_type STRING, amount DOUBLE, event_date DATE"
)
METRIC_TYPES = (
    *("click", "comment", "follow", "impression", "like", "rating", "reach", "share", "view"),
)
GROUP = ("event_date", "event_hour", "account_id", "post_id", "platform", "metric_type")


def main() -> None:
    """Run the three queries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--jars", type=Path, required=True)
    parser.add_argument("--memory", default="2g")
    parser.add_argument("--watermark", default="10 minutes")
    options = parser.parse_args()
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    spark = _session(options.jars, options.memory, options.folder)
    folder = str(options.folder)
    seconds["start"] = time.perf_counter() - started
    for name, query in (
        ("bronze", lambda: _bronze(spark, options.servers, options.topic, folder)),
        ("silver", lambda: _silver(spark, folder, options.watermark)),
        ("gold", lambda: _gold(spark, folder)),
    ):
        begun = time.perf_counter()
        query().trigger(availableNow=True).start().awaitTermination()
        seconds[name] = time.perf_counter() - begun
    total = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "total": total, "events": _events(spark, folder)}))
    spark.stop()


def _session(jars: Path, memory: str, folder: Path) -> SparkSession:
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", ",".join(str(jar) for jar in sorted(jars.glob("*.jar"))))
        .config("spark.driver.memory", memory)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", str(folder / "spill"))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.compression.codec", "zstd")
        # RocksDB keeps the state with the keys outside of the heap.
        .config(
            "spark.sql.streaming.stateStore.providerClass",
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
        )
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )


def _bronze(spark: SparkSession, servers: str, topic: str, folder: str) -> DataStreamWriter:
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", servers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
        .select("key", "value", "topic", "partition", "offset", "timestamp")
    )
    return _parquet(records, folder, "bronze")


def _silver(spark: SparkSession, folder: str, watermark: str) -> DataStreamWriter:
    records = spark.readStream.schema(BRONZE).parquet(f"{folder}/bronze")
    event = f.from_json(f.col("value").cast("string"), EVENT)
    events = records.select(event.alias("e")).select(
        f.trim("e.event_id").alias("event_id"),
        f.to_timestamp("e.event_time").alias("event_time"),
        f.coalesce(f.trim("e.platform"), f.lit("Unknown")).alias("platform"),
        f.trim("e.account_id").alias("account_id"),
        f.coalesce(f.trim("e.post_id"), f.lit("Unknown")).alias("post_id"),
        f.coalesce(f.trim("e.user_id"), f.lit("Unknown")).alias("user_id"),
        f.lower(f.trim("e.metric_type")).alias("metric_type"),
        f.col("e.value").cast("double").alias("amount"),
    )
    accepted = (
        events.where(
            "event_id IS NOT NULL AND event_time IS NOT NULL "
            "AND account_id IS NOT NULL AND amount >= 0"
        )
        .where(f.col("metric_type").isin(*METRIC_TYPES))
        .withColumn("event_date", f.to_date("event_time"))
        .withWatermark("event_time", watermark)
        .dropDuplicatesWithinWatermark(["event_id"])
    )
    return _parquet(accepted, folder, "silver")


def _gold(spark: SparkSession, folder: str) -> DataStreamWriter:
    events = spark.readStream.schema(SILVER).parquet(f"{folder}/silver")
    hourly = (
        events.withColumn("event_hour", f.date_trunc("hour", "event_time"))
        .groupBy(*GROUP)
        .agg(f.count("*").alias("events"), f.sum("amount").alias("amount"))
    )

    def write(batch: DataFrame, number: int) -> None:
        batch.write.mode("overwrite").parquet(f"{folder}/gold/batch={number}")

    return (
        hourly.writeStream.outputMode("update")
        .option("checkpointLocation", f"{folder}/checkpoints/gold")
        .foreachBatch(write)
    )


def _parquet(rows: DataFrame, folder: str, name: str) -> DataStreamWriter:
    return (
        rows.writeStream.format("parquet")
        .outputMode("append")
        .option("path", f"{folder}/{name}")
        .option("checkpointLocation", f"{folder}/checkpoints/{name}")
    )


def _events(spark: SparkSession, folder: str) -> int:
    """The number of events in gold: for each group, the value in its last batch."""
    gold = spark.read.parquet(f"{folder}/gold")
    last = gold.groupBy(*GROUP).agg(f.max_by("events", "batch").alias("events"))
    return int(last.agg(f.sum("events")).first()[0])


if __name__ == "__main__":
    main()
