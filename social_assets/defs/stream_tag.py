"""Tags of runs: the stream that a run is about, and what a failed load has left to be done."""

STREAM_TAG = "social_assets/stream"
"""The tag that names the stream of an asset or a run."""

FAILED_FILES_TAG = "social_assets/failed_files"
"""On a run that failed for some of its files alone: their number. All else that it had to do is
done, and each of the files is recorded and has an alert of its own."""
