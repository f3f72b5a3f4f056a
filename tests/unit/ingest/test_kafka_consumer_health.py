"""A consumer that returns no records is replaced."""

from __future__ import annotations

from social_assets.ingest.kafka.consumer_health import Silence


def test_an_open_transaction_has_the_consumer_replaced_ever_less_often() -> None:
    silence, replaced_after, waited = Silence(), [], 0
    while len(replaced_after) < 6:
        waited += 1
        if silence.is_too_long([], seconds=1.0):
            silence.begin_again()
            replaced_after.append(waited)
            waited = 0
    assert replaced_after == [5, 10, 20, 40, 60, 60]
