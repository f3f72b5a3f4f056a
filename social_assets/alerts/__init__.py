"""Alerts: which failures are active, which channels they concern, and what each channel was told.

`observe` looks for failures in Dagster, the lake and Kafka; `channels` selects the channels;
`journal` records what each channel was told; `changes` compares the two, `message` writes the text
and `deliver` sends it. `dispatch` does all of that once, for the sensor and the command line. There
is no queue: a change that was not delivered is found again by the next dispatch.
"""
