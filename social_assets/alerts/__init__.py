"""Alerts: what stands against the platform now, who is to be told, and who has been.

`observe` looks at Dagster, lake and Kafka for what stands; `channels` says whom it concerns;
`journal` remembers what each channel was told; `news` compares, `message` words it, `deliver` sends
it. `round` does all of that once, for the sensor and the command line. There is no queue: what was
not delivered is still news at the next round.
"""
