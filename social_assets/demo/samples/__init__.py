"""Sample files for demo, tests and benchmarks: seeded, dirty like real ones, with hidden tastes.

`generate` writes a set of input files for all streams; `bench_records` writes many clean events.
"""

from social_assets.demo.samples.sample_set import SampleFile, generate

__all__ = ["SampleFile", "generate"]
