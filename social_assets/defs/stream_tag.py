"""The one tag that says which stream an asset or a run is of."""

STREAM_TAG = "social_assets/stream"
