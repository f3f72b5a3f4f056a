"""The tag that names the stream of an asset or a run."""

STREAM_TAG = "social_assets/stream"
