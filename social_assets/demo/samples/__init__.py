"""Sample files for demo, tests and benchmarks: seeded, dirty as real ones, with tastes to be found.

`generate` writes a set of input files for all streams; `bench_records` writes many clean events.
"""

from social_assets.demo.samples.sample_set import SampleFile, generate

__all__ = ["SampleFile", "generate"]
