"""One file a model, each a `Recommender`. Nothing else belongs here."""
