"""The error of the recommenders. Nothing else belongs here."""


class RecommendError(RuntimeError):
    """A recommender cannot work with the data that it finds; the text says what to do.

    A retry does not help, so the assets turn it into a failure that Dagster does not retry.
    """
