"""The errors of the feature store. Nothing else belongs here."""


class FeatureError(ValueError):
    """A question that names no feature, entity or row; the text says what to correct."""


class FeatureDeclarationError(ValueError):
    """A feature view is declared wrongly; the text names it."""


class OnlineStoreError(ConnectionError):
    """The online store does not answer; the text says why, without credentials."""
