"""Drains the stream `orders` of the home until it is killed, as runs of the sensor do."""

from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.pipeline.topics.drain import drain
from tests.integration.kafka.cdc.captured_table import stores
from tests.integration.kafka.drain.drain_bed import QUICK


def main() -> None:
    """Without an end. Errors end the process: whoever started it starts another one."""
    while True:
        drain(stores(Home.from_environment()), KafkaResource(), lambda _: None, QUICK)


if __name__ == "__main__":
    main()
